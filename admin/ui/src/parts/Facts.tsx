import { Fragment, type ReactNode } from 'react';
import css from './show.module.css';

export type Fact = [label: string, value: ReactNode];

/** Names with values; what has none is left out. */
export function Facts({ of }: { of: Fact[] }) {
  const told = of.filter(
    ([, value]) => value !== null && value !== undefined && value !== '' && value !== false,
  );
  return (
    <dl className={css.facts}>
      {told.map(([label, value]) => (
        <Fragment key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** Big numbers in a row. */
export function Numbers({ of }: { of: { label: string; value: ReactNode; note?: ReactNode }[] }) {
  return (
    <dl className={css.numbers}>
      {of.map((row) => (
        <div key={row.label} className={css.number}>
          <dt>{row.label}</dt>
          <dd>{row.value}</dd>
          {row.note !== undefined && <dd className={css.note}>{row.note}</dd>}
        </div>
      ))}
    </dl>
  );
}
