import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Check, Probe, Standing } from '@/api/answers';
import { call } from '@/api/client';
import { type State, useStates } from '@/api/states';
import { Failed } from '@/parts/Answered';
import { Facts } from '@/parts/Facts';
import { milliseconds, stamp } from '@/parts/format';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import { When } from '@/parts/When';

/** Asked for only by hand: each check is a real call, which a provider bills. */
export function useHealth(query: { model_id?: string }) {
  const [asked, setAsked] = useState(false);
  const found = useQuery({
    queryKey: ['health', query],
    queryFn: async ({ signal }) => {
      const told = await call('GET /health', { query, signal });
      const ill = told.unhealthy_endpoints.map((row) => ({ error: 'details are off', ...row }));
      return [...told.healthy_endpoints, ...ill];
    },
    enabled: asked,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const check = () => (asked ? void found.refetch() : setAsked(true));
  return { ...found, check };
}

const TONES = { healthy: 'good', failing: 'warn', 'cooling down': 'bad' } as const;

/** What a check has shown, by hand or in the background; before one, what the requests of clients have. */
export function Health({ of, state }: { of?: Probe | undefined; state?: State | undefined }) {
  if (of === undefined && state?.check !== undefined && state.cooled === undefined)
    return <Checked of={state.check} />;
  if (of === undefined && state !== undefined) return <Said of={state} />;
  if (of === undefined) return <Status tone="plain">not asked yet</Status>;
  // A check of a deployment that is left alone does not bring it back.
  return (
    <div>
      <Result of={of} />
      {state?.cooled !== undefined && (
        <div>
          <Said of={state} />
        </div>
      )}
    </div>
  );
}

function Result({
  of,
}: {
  of: Pick<Check, 'response_time_ms'> & { error?: string | null; status?: number };
}) {
  if (of.error)
    return (
      <span title={of.error}>
        <Status tone="bad">{of.status ? `Failed (${of.status})` : 'Failed'}</Status>
      </span>
    );
  return <Status tone="good">{milliseconds(of.response_time_ms)}</Status>;
}

function Checked({ of }: { of: Check }) {
  return (
    <>
      <Result of={of} /> <When at={of.at} />
    </>
  );
}

function Said({ of: { word, cooled } }: { of: State }) {
  return (
    <Status tone={TONES[word]}>
      <span>
        {word}
        {cooled?.until && (
          <>
            , ends <When at={cooled.until} />
          </>
        )}
      </span>
    </Status>
  );
}

/** Since when, until when and why a deployment gets no requests. */
function Cooldown({ of, shared }: { of: Standing; shared: boolean }) {
  const error = of.error;
  return (
    <>
      <Facts
        of={[
          ['Left alone since', of.since && <When key="since" at={of.since} />],
          ['Until', of.until && stamp(of.until)],
          ['After', error && `${error.class} (${error.status})`],
          ['Known to', shared ? 'all replicas' : 'the replica that answered'],
        ]}
      />
      {error && <pre className={css.pre}>{error.message}</pre>}
      <span className={css.dim}>
        It failed too often and gets no traffic for a while. A test call does not end that.
      </span>
    </>
  );
}

/** A real call to one deployment, and what came back. */
export function TestCall({ id }: { id: string }) {
  const states = useStates();
  const state = states.of(id);
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
      {state?.cooled !== undefined && <Cooldown of={state.cooled} shared={states.shared} />}
      {health.isError && <Failed error={health.error} />}
      {probe?.error !== undefined && <pre className={css.pre}>{probe.error}</pre>}
    </div>
  );
}
