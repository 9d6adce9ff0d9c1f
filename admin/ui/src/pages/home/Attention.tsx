import { Link } from 'react-router';
import type { Limits } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { money, shortId } from '@/parts/format';
import { NEAR } from '@/parts/Meter';
import { Notice } from '@/parts/Notice';
import { unpriced } from '../models/facts';
import css from './home.module.css';

interface Point {
  to: string;
  text: string;
}

type Budgeted = Pick<Limits, 'max_budget'> & { spend: number };

const near = (row: Budgeted) => row.max_budget !== null && row.spend >= row.max_budget * NEAR;
const told = (name: string, row: Budgeted) =>
  `${name}: ${money(row.spend)} of ${money(row.max_budget ?? 0)} spent`;

const MOST = { sort_by: 'spend', sort_order: 'desc' };

/** What an admin should look at; nothing is shown when there is nothing. */
export function Attention() {
  const seesAll = useMay('see all');
  const keys = useAnswer('GET /key/list', { query: { size: 100, return_full_object: true, ...MOST } });
  const teams = useAnswer('GET /v2/team/list', { query: { page_size: 100, ...MOST } }, { enabled: seesAll });
  const models = useAnswer('GET /v2/model/info');
  const health = useAnswer('GET /health/readiness', {}, { every: 30_000 });

  const points: Point[] = [
    ...(teams.data?.teams ?? []).filter(near).map((team) => ({
      to: `/teams/${encodeURIComponent(team.team_id)}`,
      text: told(`Team ${team.team_alias ?? team.team_id}`, team),
    })),
    ...(keys.data?.keys ?? []).filter(near).map((key) => ({
      to: `/keys/${key.token}`,
      text: told(`Key ${key.key_alias ?? shortId(key.token)}`, key),
    })),
  ];
  const free = (models.data?.data ?? []).filter(unpriced);
  if (free.length > 0 && seesAll) {
    const names = [...new Set(free.map((row) => row.model_name))].slice(0, 4).join(', ');
    points.push({
      to: '/models?show=unpriced',
      text: `No price is known for ${names}: their tokens are booked at nothing`,
    });
  }
  if (health.data !== undefined && health.data.db !== 'connected') {
    points.push({
      to: '/settings?tab=about',
      text: `The ledger is ${health.data.db}: what is spent waits in the journal`,
    });
  }
  if (points.length === 0) return null;
  return (
    <Notice tone="warn" title="Needs attention">
      <ul className={css.list}>
        {points.slice(0, 6).map((point) => (
          <li key={point.text}>
            <Link to={point.to}>{point.text}</Link>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
