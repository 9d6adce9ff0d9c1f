// What usage is looked at: all of it stands in the address.
import { type By, DIMENSIONS, type Only, together } from '@/parts/activity';
import { daysAgo, iso } from '@/parts/format';
import { useParams } from '@/parts/params';

export interface Days {
  start_date: string;
  end_date: string;
}

export const SPANS = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: 'month', label: 'This month' },
  { value: 'last', label: 'Last month' },
  { value: 'own', label: 'From … to' },
];

const NAMES = DIMENSIONS.map((row) => row.by);
const NONE = Object.fromEntries(NAMES.map((by) => [by, ''])) as Record<By, string>;
const DEFAULTS = { by: 'model', span: '30', from: '', to: '', measure: 'spend', q: '', ...NONE };

/** Months are the calendar's, UTC as the server's days are. */
function span(name: string, from: string, to: string): Days {
  const now = new Date();
  const month = (shift: number) =>
    iso(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + shift, 1)));
  const before = (day: string) => iso(new Date(Date.parse(day) - 86_400_000));
  if (name === 'month') return { start_date: month(0), end_date: iso(now) };
  if (name === 'last') return { start_date: month(-1), end_date: before(month(0)) };
  if (name === 'own') return { start_date: from || daysAgo(29), end_date: to || iso(now) };
  return { start_date: daysAgo(Number(name) - 1 || 29), end_date: iso(now) };
}

interface Change {
  by?: By;
  only?: { by: By; id: string };
}

export function useUsage() {
  const [params, set] = useParams(DEFAULTS);
  const only: Only = Object.fromEntries(NAMES.flatMap((by) => (params[by] === '' ? [] : [[by, params[by]]])));
  /** Looks at another dimension, or at one alone; what sums are not told apart by together with it is let go. */
  const narrow = ({ by, only: one }: Change) => {
    const wanted = one?.by ?? by ?? 'model';
    const dropped = NAMES.filter((name) => !together([wanted, name]));
    // One alone is told apart by something else.
    const next = by ?? (one?.by === 'model' ? 'key' : 'model');
    const cleared = Object.fromEntries(dropped.map((name) => [name, undefined]));
    set({ by: next, q: undefined, ...cleared, ...(one && { [one.by]: one.id }) });
  };
  return { params, set, only, narrow, days: span(params.span, params.from, params.to) };
}
