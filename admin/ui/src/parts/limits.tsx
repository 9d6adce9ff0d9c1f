import type { Limits } from '@/api/answers';
import type { Fact } from './Facts';
import { count } from './format';
import { Meter } from './Meter';
import { When } from './When';

const most = (limit: number | null | undefined) => (limit ? count(limit) : 'no limit');

/** What limits a key, a team, a user … */
export function limits(spend: number, of: Limits | null | undefined): Fact[] {
  return [
    ['Spend', <Meter key="spend" spend={spend} budget={of?.max_budget} />],
    [
      'Starts anew',
      of?.budget_duration && <Anew key="anew" every={of.budget_duration} next={of.budget_reset_at} />,
    ],
    ['Requests per minute', most(of?.rpm_limit)],
    ['Tokens per minute', most(of?.tpm_limit)],
    ['Requests at once', of?.max_parallel_requests && count(of.max_parallel_requests)],
  ];
}

function Anew({ every, next }: { every: string; next: string | null | undefined }) {
  return (
    <>
      every {every}
      {next && (
        <>
          , next <When at={next} />
        </>
      )}
    </>
  );
}
