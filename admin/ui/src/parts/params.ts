import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

type Values = Record<string, string | number | undefined>;

/**
 * Filters, page and order stand in the address, so that a view can be sent to somebody. Whatever is at its default is
 * left out of it. A change of anything but the page goes back to the first page.
 */
export function useParams<T extends Record<string, string>>(defaults: T) {
  const [params, setParams] = useSearchParams();
  const values = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, params.get(name) ?? value]),
  ) as T;
  const set = useCallback(
    (change: Values) => {
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          if (!('page' in change)) next.delete('page');
          for (const [name, value] of Object.entries(change)) {
            const text = value === undefined ? '' : String(value);
            if (text === '' || text === defaults[name]) next.delete(name);
            else next.set(name, text);
          }
          return next;
        },
        { replace: true },
      );
    },
    [setParams, defaults],
  );
  return [values, set] as const;
}

/** What a list is ordered by, as a parameter: `spend`, or `-spend` for the largest first. */
export function sortOf(text: string) {
  if (text === '') return [];
  return [{ id: text.replace(/^-/, ''), desc: text.startsWith('-') }];
}

export function sortText(sorting: { id: string; desc: boolean }[]): string {
  const [first] = sorting;
  return first === undefined ? '' : `${first.desc ? '-' : ''}${first.id}`;
}

/** The same as the server's two parameters. */
export function sortQuery(text: string): { sort_by?: string; sort_order?: string } {
  const [first] = sortOf(text);
  return first === undefined ? {} : { sort_by: first.id, sort_order: first.desc ? 'desc' : 'asc' };
}
