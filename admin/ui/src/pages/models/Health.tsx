import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Probe } from '@/api/answers';
import { call } from '@/api/client';
import { type DeploymentState, useReplica } from '@/api/replica';
import { Failed } from '@/parts/Answered';
import { milliseconds } from '@/parts/format';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';

/** Asked for only by hand: each check is a real call, which a provider bills. */
export function useHealth(query: { model_id?: string }) {
  const [asked, setAsked] = useState(false);
  const found = useQuery({
    queryKey: ['health', query],
    queryFn: async ({ signal }) => {
      const told = await call('GET /health', { query, signal });
      return [...told.healthy_endpoints, ...told.unhealthy_endpoints];
    },
    enabled: asked,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const check = () => (asked ? void found.refetch() : setAsked(true));
  return { ...found, check };
}

const TONES = { healthy: 'good', failing: 'warn', 'cooling down': 'bad' } as const;

/** What a check has shown; before one, what the requests of clients have. */
export function Health({ of, state }: { of?: Probe | undefined; state?: DeploymentState | undefined }) {
  if (of === undefined && state !== undefined) return <Status tone={TONES[state]}>{state}</Status>;
  if (of === undefined) return <span className={css.dim}>not asked yet</span>;
  if (of.error) return <Status tone="bad">{of.status ? `Failed (${of.status})` : 'Failed'}</Status>;
  return <Status tone="good">{milliseconds(of.response_time_ms)}</Status>;
}

/** A real call to one deployment, and what came back. */
export function TestCall({ id }: { id: string }) {
  const state = useReplica().data?.deployments.get(id);
  const health = useHealth({ model_id: id });
  const probe = health.data?.[0];
  return (
    <div className={css.form}>
      <div className={css.filters}>
        <Button variant="default" loading={health.isFetching} onClick={health.check}>
          Test call
        </Button>
        <Health of={probe} state={state} />
      </div>
      {state === 'cooling down' && probe === undefined && (
        <span className={css.dim}>
          It failed too often and gets no traffic for a while. A test call does not end that.
        </span>
      )}
      {health.isError && <Failed error={health.error} />}
      {probe?.error !== undefined && <pre className={css.pre}>{probe.error}</pre>}
    </div>
  );
}
