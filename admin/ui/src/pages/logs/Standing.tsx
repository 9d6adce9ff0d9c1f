import { Link } from 'react-router';
import type { Entry, Limits } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { Meter, Meters } from '@/parts/Meter';
import css from './logs.module.css';

interface Row {
  kind: string;
  to: string;
  name: string;
  of: (Pick<Limits, 'max_budget'> & { spend: number }) | null | undefined;
}

/** The budgets of whoever was refused, as they are now: entries of earlier programs do not note which one refused. */
export function Standing({ of }: { of: Entry }) {
  const key = useAnswer('GET /key/info', { query: { key: of.api_key } }, { enabled: of.api_key !== '' });
  const team = useAnswer(
    'GET /team/info',
    { query: { team_id: of.team_id, size: 1 } },
    { enabled: of.team_id !== '' },
  );
  const user = useAnswer(
    'GET /user/info',
    { query: { user_id: of.user, size: 1 } },
    { enabled: of.user !== '' },
  );
  const { user_api_key_alias: keyName, user_api_key_team_alias: teamName } = of.metadata;
  const id = encodeURIComponent;
  const rows: Row[] = [
    { kind: 'Key', to: `/keys/${of.api_key}`, name: keyName ?? 'without a name', of: key.data?.info },
    { kind: 'Team', to: `/teams/${id(of.team_id)}`, name: teamName ?? of.team_id, of: team.data?.team_info },
    { kind: 'User', to: `/users/${id(of.user)}`, name: of.user, of: user.data?.user_info },
  ];
  const limited = rows.filter((row) => typeof row.of?.max_budget === 'number');
  if (limited.length === 0) return <>It counted against no budget.</>;
  return (
    <>
      <p className={css.first}>It was refused before it counted. This is how the budgets stand now:</p>
      <Meters>
        {limited.map((row) => (
          <li key={row.kind}>
            <span>
              {row.kind} <Link to={row.to}>{row.name}</Link>
            </span>
            <Meter spend={row.of?.spend ?? 0} budget={row.of?.max_budget} />
          </li>
        ))}
      </Meters>
    </>
  );
}
