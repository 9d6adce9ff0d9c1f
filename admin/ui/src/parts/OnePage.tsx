import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { ApiError } from '@/api/client';
import { Answered } from './Answered';
import { Empty } from './Empty';
import { Page } from './Page';
import css from './parts.module.css';

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

const GONE = 'It was deleted, or the address is not quite right.';

/** The page of one record. Until it is there, and where there is none, it is a page with the way back. */
export function OnePage<A, T>({ of, read, kind, back, gone, children }: Props<A, T>) {
  const record = of.data === undefined ? undefined : read(of.data);
  if (of.data !== undefined && record !== undefined) return <>{children(record, of.data)}</>;
  const unknown = of.error instanceof ApiError && of.error.status === 404;
  const none = (
    <Empty title={`There is no such ${kind.toLowerCase()}`} text={gone ?? GONE}>
      <Link className={css.link} to={back.to}>
        All {back.label.toLowerCase()}
      </Link>
    </Empty>
  );
  return (
    <Page title={kind} back={back}>
      {unknown ? none : <Answered of={of}>{() => none}</Answered>}
    </Page>
  );
}
