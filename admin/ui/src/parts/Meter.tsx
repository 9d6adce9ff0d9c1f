import type { ReactNode } from 'react';
import { money } from './format';
import parts from './parts.module.css';
import css from './show.module.css';

/** Where a budget is called nearly used up. */
export const NEAR = 0.8;

/** A list of budgets, below each other; `wide`: side by side where there is room. */
export function Meters({ wide, children }: { wide?: boolean; children: ReactNode }) {
  return (
    <ul className={css.meters} data-wide={wide}>
      {children}
    </ul>
  );
}

/** Spend against a budget; spend alone where there is none. */
export function Meter({ spend, budget }: { spend: number; budget: number | null | undefined }) {
  if (budget === null || budget === undefined) return <span>{money(spend)}</span>;
  const share = budget === 0 ? 1 : spend / budget;
  const tone = share >= 1 ? 'bad' : share >= NEAR ? 'warn' : 'good';
  return (
    <span className={css.meter} data-tone={tone}>
      <span>
        {money(spend)} <span className={parts.dim}>of {money(budget)}</span>
      </span>
      <meter className={css.bar} min={0} max={1} value={Math.min(share, 1)} aria-label="Share of the budget">
        {Math.round(share * 100)} %
      </meter>
    </span>
  );
}
