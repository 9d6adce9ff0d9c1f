import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Probe } from '@/api/answers';
import { call } from '@/api/client';
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

export function Health({ of }: { of: Probe | undefined }) {
  if (of === undefined) return <span className={css.dim}>not checked</span>;
  if (of.error) return <Status tone="bad">{of.status ? `Failed (${of.status})` : 'Failed'}</Status>;
  return <Status tone="good">{milliseconds(of.response_time_ms)}</Status>;
}

/** A real call to one deployment, and what came back. */
export function TestCall({ id }: { id: string }) {
  const health = useHealth({ model_id: id });
  const probe = health.data?.[0];
  return (
    <div className={css.form}>
      <div className={css.filters}>
        <Button variant="default" loading={health.isFetching} onClick={health.check}>
          Test call
        </Button>
        <Health of={probe} />
      </div>
      {health.isError && <Failed error={health.error} />}
      {probe?.error !== undefined && <pre className={css.pre}>{probe.error}</pre>}
    </div>
  );
}
