import type { ReactNode } from 'react';
import type { Tone } from './Notice';
import css from './parts.module.css';

/** A word with a dot: never by colour alone. */
export function Status({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={css.status} data-tone={tone}>
      <i aria-hidden="true" />
      {children}
    </span>
  );
}

export function Chip({ children }: { children: ReactNode }) {
  return <span className={css.chip}>{children}</span>;
}

/** A list as chips: the first few, and how many more. */
export function Chips({
  of,
  none,
  most = 3,
}: {
  of: string[] | null | undefined;
  none: string;
  most?: number;
}) {
  if (!of || of.length === 0) return <span className={css.dim}>{none}</span>;
  return (
    <span className={css.chips} title={of.join(', ')}>
      {of.slice(0, most).map((name) => (
        <Chip key={name}>{name}</Chip>
      ))}
      {of.length > most && <span className={css.dim}>+{of.length - most}</span>}
    </span>
  );
}
