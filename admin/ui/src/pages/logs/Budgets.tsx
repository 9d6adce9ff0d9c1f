import { Link } from 'react-router';
import type { BudgetSeen, Entry } from '@/api/answers';
import { exactMoney, moment, money, sentence, shortId } from '@/parts/format';
import { OrganizationLink } from '@/parts/links';
import { Meter, Meters } from '@/parts/Meter';
import parts from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import { Standing } from './Standing';

/** Where a budget has its page. */
const PAGES: Record<string, string> = {
  key: '/keys',
  team: '/teams',
  user: '/users',
  organization: '/organizations',
  customer: '/customers',
  deployment_period: '/models',
};

/** As the pages call them. */
const SCOPES: Record<string, string> = { organization: 'organisation', deployment_period: 'deployment' };

const REFUSED = 'BudgetExceededError';

/** The budgets that this request counted against, before and after, or the one that refused it. */
export function Budgets({ of }: { of: Entry }) {
  const budgets = of.metadata.weir?.budgets ?? [];
  if (budgets.length === 0 && of.metadata.error_information?.error_class === REFUSED)
    return <Standing of={of} />;
  if (budgets.length === 0) return <>It counted against no budget.</>;
  return (
    <Meters>
      {budgets.map((budget) => (
        <li key={`${budget.scope} ${budget.id}`}>
          <Whose of={budget} name={nameOf(budget, of)} />
          {budget.refused && <Status tone="bad">refused</Status>}
          <Meter spend={budget.after} budget={budget.cap} />
          <span className={parts.small}>{step(budget)}</span>
        </li>
      ))}
    </Meters>
  );
}

function step({ before, after, cap, reset_at, refused }: BudgetSeen): string {
  const left = `${money(Math.max(0, cap - after))} left`;
  const spent = refused
    ? `${exactMoney(before)} spent`
    : `${exactMoney(before)} before, ${exactMoney(after)} after`;
  const reset = reset_at === null ? '' : `, begins again ${moment(reset_at)}`;
  return `${spent}, ${left}${reset}`;
}

function nameOf({ scope, id }: BudgetSeen, of: Entry): string {
  if (scope === 'key') return of.metadata.user_api_key_alias ?? shortId(id);
  if (scope === 'team') return of.metadata.user_api_key_team_alias ?? id;
  return shortId(id);
}

function Whose({ of, name }: { of: BudgetSeen; name: string }) {
  const page = PAGES[of.scope];
  const scope = SCOPES[of.scope] ?? of.scope.replaceAll('_', ' ');
  if (page === undefined) return <span>{`${sentence(scope)} ${name}`}</span>;
  if (of.scope === 'organization')
    return (
      <span>
        {sentence(scope)} <OrganizationLink id={of.id} />
      </span>
    );
  return (
    <span>
      {sentence(scope)} <Link to={`${page}/${encodeURIComponent(of.id)}`}>{name}</Link>
    </span>
  );
}
