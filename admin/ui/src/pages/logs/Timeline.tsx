import { Link } from 'react-router';
import type { Attempt, Entry } from '@/api/answers';
import { between, milliseconds, shortId } from '@/parts/format';
import parts from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import css from './logs.module.css';

/** Attempts where they lie in the time that the whole took. */
export function Timeline({ of }: { of: Entry }) {
  const attempts = of.metadata.weir?.attempts ?? [];
  const whole = Math.max(between(of.startTime, of.endTime), 0.001);
  const considered = of.metadata.weir?.considered ?? [];
  if (attempts.length === 0) return <>No deployment was asked.</>;
  return (
    <>
      <ol className={`${parts.stack} ${css.timeline}`}>
        {attempts.map((attempt) => (
          <li key={attempt.number} className={css.attempt}>
            <span className={parts.cut}>
              {attempt.number}. {attempt.model_group}
            </span>
            <Result of={attempt} />
            <span className={css.track} aria-hidden="true">
              <span
                className={css.span}
                data-failed={attempt.status >= 400 || attempt.error !== ''}
                style={place(attempt, of, whole)}
              />
            </span>
            <span className={css.took}>{milliseconds(between(attempt.started_at, attempt.ended_at))}</span>
            {attempt.error !== '' && <span className={css.error}>{attempt.error}</span>}
          </li>
        ))}
      </ol>
      {considered.length > 0 && <Considered ids={considered} asked={attempts} />}
    </>
  );
}

/** The deployments that might have served, of which the strategy chose. */
function Considered({ ids, asked }: { ids: string[]; asked: Attempt[] }) {
  return (
    <p className={`${parts.small} ${css.note}`}>
      {`Chosen among ${ids.length}: `}
      {ids.map((id, at) => (
        <span key={id}>
          {at > 0 && ', '}
          <Link to={`/models/${encodeURIComponent(id)}`}>{shortId(id)}</Link>
          {asked.some((attempt) => attempt.model_id === id) && ' (asked)'}
        </span>
      ))}
    </p>
  );
}

function Result({ of }: { of: Attempt }) {
  const failed = of.status >= 400 || of.error !== '';
  return <Status tone={failed ? 'bad' : 'good'}>{of.status === 0 ? 'no answer' : of.status}</Status>;
}

function place(attempt: Attempt, of: Entry, whole: number) {
  const share = (moment: string) => Math.min(100, Math.max(0, (between(of.startTime, moment) / whole) * 100));
  const left = share(attempt.started_at);
  return { left: `${left}%`, width: `${Math.max(1, share(attempt.ended_at) - left)}%` };
}
