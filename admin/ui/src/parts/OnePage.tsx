import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Answered } from './Answered';
import { Empty } from './Empty';
import { Page } from './Page';

interface Props<A, T> {
  of: UseQueryResult<A>;
  /** The record in the answer; `undefined`: there is none. */
  read: (answer: A) => T | undefined;
  /** What it is, in one word. */
  kind: string;
  back: { to: string; label: string };
  /** Why there may be none. */
  gone?: string;
  children: (record: T, answer: A) => ReactNode;
}

/** The page of one record. Until it is there, and where there is none, it is a page with the way back. */
export function OnePage<A, T>({ of, read, kind, back, gone, children }: Props<A, T>) {
  const record = of.data === undefined ? undefined : read(of.data);
  if (of.data !== undefined && record !== undefined) return <>{children(record, of.data)}</>;
  return (
    <Page title={kind} back={back}>
      <Answered of={of}>
        {() => <Empty title={`There is no such ${kind.toLowerCase()}`} text={gone} />}
      </Answered>
    </Page>
  );
}
