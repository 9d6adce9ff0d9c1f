import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { Tried } from '@/api/answers';
import { call } from '@/api/client';
import { asBody } from '@/api/hooks';
import { Failed } from '@/parts/Answered';
import { milliseconds } from '@/parts/format';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';

/** Asks what a form describes something short, before it is kept: a real call, which its provider bills. */
export function Trial({ body }: { body: object }) {
  const tried = useMutation({
    mutationFn: (sent: object) => call('POST /health/test_connection', { body: asBody(sent) }),
  });
  // What was tested is not what stands there now.
  const isOld = JSON.stringify(tried.variables) !== JSON.stringify(body);
  return (
    <div className={css.form}>
      <div className={css.filters}>
        <Button variant="default" loading={tried.isPending} onClick={() => tried.mutate(body)}>
          Test
        </Button>
        {tried.data !== undefined && !isOld && <Outcome of={tried.data} />}
      </div>
      {tried.isError && !isOld && <Failed error={tried.error} />}
      {tried.data?.result.error !== undefined && !isOld && (
        <pre className={css.pre}>{tried.data.result.error}</pre>
      )}
    </div>
  );
}

function Outcome({ of: { status, result } }: { of: Tried }) {
  if (status === 'error')
    return <Status tone="bad">{result.status ? `Failed (${result.status})` : 'Failed'}</Status>;
  return <Status tone="good">It answers, in {milliseconds(result.response_time_ms ?? 0)}</Status>;
}
