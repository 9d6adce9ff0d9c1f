import { Link } from 'react-router';
import { Meter, Meters } from '@/parts/Meter';
import { Section } from '@/parts/Page';
import parts from '@/parts/parts.module.css';
import { When } from '@/parts/When';
import { useBudgeted } from './budgeted';
import css from './home.module.css';

const MOST = 6;

/** Spend of the running periods against budgets: of the whole gateway, then the fullest. */
export function Budgets() {
  const rows = useBudgeted();
  if (rows.length === 0) return null;
  return (
    <Section title="Budgets" about="the fullest, in their running periods">
      <Meters wide>
        {rows.slice(0, MOST).map((row) => (
          <li key={row.to}>
            <span className={`${parts.cut} ${css.name}`}>
              <span className={css.kind}>{row.kind}</span> <Link to={row.to}>{row.name}</Link>
            </span>
            <Meter spend={row.spend} budget={row.budget} />
            {row.ends !== null && (
              <span className={parts.small}>
                starts anew <When at={row.ends} />
              </span>
            )}
          </li>
        ))}
      </Meters>
    </Section>
  );
}
