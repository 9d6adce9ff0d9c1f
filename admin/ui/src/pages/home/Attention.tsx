import { Link } from 'react-router';
import { useAnswer } from '@/api/hooks';
import { useReplica } from '@/api/replica';
import { useMay } from '@/api/session';
import { Notice } from '@/parts/Notice';
import css from './home.module.css';
import { gatewayPoints, keyPoints, modelPoints, type Point, teamPoints, userPoints } from './points';

const DEAREST = { sort_by: 'spend', sort_order: 'desc' };
const MOST = 8;

/** What an admin should look at; nothing is shown when there is nothing. */
export function Attention() {
  const points = usePoints();
  if (points.length === 0) return null;
  return (
    <Notice tone="warn" title="Needs attention">
      <ul className={css.list}>
        {points.slice(0, MOST).map((point) => (
          <li key={point.text}>
            <Link to={point.to}>{point.text}</Link>
          </li>
        ))}
        {points.length > MOST && <li>and {points.length - MOST} more</li>}
      </ul>
    </Notice>
  );
}

/** Those who have spent most come first, so that whoever is near a budget that matters is among them. */
function usePoints(): Point[] {
  const seesAll = useMay('see all');
  const keys = useAnswer('GET /key/list', { query: { size: 100, return_full_object: true, ...DEAREST } });
  const teams = useAnswer(
    'GET /v2/team/list',
    { query: { page_size: 100, ...DEAREST } },
    { enabled: seesAll },
  );
  const users = useAnswer('GET /user/list', { query: { page_size: 100, ...DEAREST } }, { enabled: seesAll });
  const models = useAnswer('GET /v2/model/info', {}, { enabled: seesAll });
  const health = useAnswer('GET /health/readiness', {}, { every: 30_000 });
  const replica = useReplica();
  return [
    ...gatewayPoints(health.data, replica.data),
    ...modelPoints(models.data?.data ?? [], replica.data),
    ...teamPoints(teams.data?.teams ?? []),
    ...keyPoints(keys.data?.keys ?? []),
    ...userPoints(users.data?.users ?? []),
  ];
}
