import { Link } from 'react-router';
import { useAnswer } from '@/api/hooks';
import { useReplica } from '@/api/replica';
import { useMay } from '@/api/session';
import { useCooled } from '@/api/states';
import { Notice } from '@/parts/Notice';
import { useBudgeted } from './budgeted';
import css from './home.module.css';
import { budgetPoints, callbackPoints, gatewayPoints, modelPoints, type Point } from './points';

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

function usePoints(): Point[] {
  const seesAll = useMay('see all');
  const models = useAnswer('GET /v2/model/info', {}, { enabled: seesAll });
  const health = useAnswer('GET /health/readiness', {}, { every: 30_000 });
  const callbacks = useAnswer('GET /health/callbacks', {}, { enabled: seesAll, every: 30_000 });
  const replica = useReplica();
  const cooled = useCooled();
  const budgeted = useBudgeted();
  return [
    ...gatewayPoints(health.data, replica.data),
    ...callbackPoints(callbacks.data?.callbacks ?? []),
    ...modelPoints(models.data?.data ?? [], cooled?.data ?? []),
    ...budgetPoints(budgeted),
  ];
}
