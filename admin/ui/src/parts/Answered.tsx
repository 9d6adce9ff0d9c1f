import { Button, Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiError } from '@/api/client';
import { Notice } from './Notice';
import css from './parts.module.css';

interface Props<T> {
  of: UseQueryResult<T>;
  children: (answer: T) => ReactNode;
  /** Lines to hold the place with. */
  lines?: number;
}

/** What an answer shows: while it is awaited, when it was refused, and when it is there. */
export function Answered<T>({ of, children, lines }: Props<T>) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.isError) return <Failed error={of.error} retry={of.refetch} />;
  return <Loading lines={lines ?? 5} />;
}

export function Loading({ lines = 5 }: { lines?: number }) {
  return (
    <div role="status" aria-label="Loading" className={css.loading}>
      {Array.from({ length: lines }, (_, at) => (
        <Skeleton key={at} height={14} radius={4} width={`${88 - ((at * 23) % 45)}%`} />
      ))}
    </div>
  );
}

/** The server's refusal in its own words, which name the cure. */
export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  const status = error instanceof ApiError && error.status > 0 ? ` (${error.status})` : '';
  return (
    <Notice tone="bad" title={`That did not work${status}`}>
      <p className={css.refusal}>{error.message}</p>
      {retry !== undefined && (
        <Button variant="default" onClick={() => retry()}>
          Try again
        </Button>
      )}
    </Notice>
  );
}
