import { Button } from '@mantine/core';
import { type Query, type QueryClient, useIsFetching, useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { stamp } from '@/parts/format';
import { Notice } from '@/parts/Notice';
import css from './Shell.module.css';

const isFirst = (query: Query) => query.state.status === 'pending';

/** A line at the top while something is asked for that was not in view before; what is asked again by itself has none. */
export function Busy() {
  const busy = useIsFetching({ predicate: isFirst }) > 0;
  return <div className={css.busy} data-on={busy} aria-hidden="true" />;
}

/** What is in view and could not be asked for again: its last answer still stands there. */
const isOld = (query: Query) =>
  query.isActive() && query.state.error !== null && query.state.data !== undefined;

const oldOf = (queries: QueryClient) => queries.getQueryCache().getAll().filter(isOld);

/** Says that what is shown is not how things are now, since when, and why. */
export function Stale() {
  const queries = useQueryClient();
  const cache = queries.getQueryCache();
  // The oldest: a text, so that what stays the same is not drawn again.
  const told = useSyncExternalStore(
    (tell) => cache.subscribe(tell),
    () => {
      const [first] = oldOf(queries).sort(
        (one, other) => one.state.dataUpdatedAt - other.state.dataUpdatedAt,
      );
      return first && JSON.stringify([first.state.dataUpdatedAt, first.state.error?.message]);
    },
  );
  if (told === undefined) return null;
  const [at, why] = JSON.parse(told) as [number, string];
  return (
    <div className={css.stale}>
      <Notice tone="warn" title={`What is shown is of ${stamp(new Date(at).toISOString())}`}>
        <p className={css.why}>{why}</p>
        <Button variant="default" onClick={() => void queries.refetchQueries({ predicate: isOld })}>
          Try again
        </Button>
      </Notice>
    </div>
  );
}
