import { Button } from '@mantine/core';
import { useState } from 'react';
import type { CacheHits, CachePing, SettingField } from '@/api/answers';
import { useAnswer, useChange } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { Confirm } from '@/parts/Confirm';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { Facts } from '@/parts/Facts';
import { count, daysAgo, percent } from '@/parts/format';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import { SettingsTable } from './SettingsTable';

const ofCache = ({ field_name: name }: SettingField) => name.startsWith('cache');

/** Answers that are given again: whether they are kept, where, and what that saves. */
export function Cache() {
  const ping = useAnswer('GET /cache/ping');
  const [flushing, setFlushing] = useState(false);
  return (
    <div className={css.form}>
      <Section
        title="Cache of answers"
        actions={
          ping.data !== undefined && (
            <Button variant="default" onClick={() => setFlushing(true)}>
              Empty it
            </Button>
          )
        }
      >
        {ping.data === undefined ? <Off waits={ping.isPending} /> : <Kept of={ping.data} />}
      </Section>
      {ping.data !== undefined && <Hits />}
      <SettingsTable section="litellm_settings" wanted={ofCache} />
      {flushing && <Flush onClose={() => setFlushing(false)} />}
    </div>
  );
}

function Off({ waits }: { waits: boolean }) {
  if (waits) return <>Asking it …</>;
  return <Status tone="plain">No answers are kept, or the cache cannot be reached.</Status>;
}

interface Params {
  ttl?: number;
  namespace?: string;
  mode?: { _value_?: string };
  supported_call_types?: string[];
}

function Kept({ of }: { of: CachePing }) {
  const params = JSON.parse(of.litellm_cache_params) as Params;
  const asked = params.mode?._value_ === 'default_off';
  return (
    <Facts
      of={[
        [
          'State',
          <Status key="state" tone={of.status === 'healthy' ? 'good' : 'bad'}>
            {of.status}
          </Status>,
        ],
        ['Kept in', of.cache_type === 'local' ? 'the memory of each replica' : of.cache_type],
        ['Kept for', params.ttl && `${params.ttl} s`],
        ['Used by', asked ? 'requests that ask for it' : 'all requests that may'],
        ['For', params.supported_call_types?.join(', ')],
        ['Namespace', params.namespace !== 'None' && params.namespace],
      ]}
    />
  );
}

const COLUMNS: Column<CacheHits>[] = [
  { id: 'key', header: 'Key', accessorFn: (row) => row.api_key },
  { id: 'model', header: 'Model', accessorFn: (row) => row.model },
  number('requests', 'Requests', (row) => row.total_rows),
  number('hits', 'From the cache', (row) => row.cache_hit_true_rows),
  {
    id: 'share',
    header: 'Share',
    accessorFn: (row) => row.cache_hit_true_rows / Math.max(1, row.total_rows),
    cell: ({ row: { original } }) => percent(original.cache_hit_true_rows, original.total_rows),
    meta: { number: true },
  },
  number('tokens', 'Tokens saved', (row) => row.cached_completion_tokens),
];

function number(id: string, header: string, read: (row: CacheHits) => number): Column<CacheHits> {
  return {
    id,
    header,
    accessorFn: read,
    cell: ({ row }) => count(read(row.original)),
    meta: { number: true },
  };
}

function Hits() {
  const days = { start_date: daysAgo(29), end_date: daysAgo(0) };
  const hits = useAnswer('GET /global/activity/cache_hits', { query: days });
  return (
    <Section title="What it saved" about="30 days" bare>
      <Answered of={hits}>
        {(rows) => (
          <DataTable
            label="Hits"
            columns={COLUMNS}
            rows={rows.filter((row) => row.cache_hit_true_rows > 0)}
            empty={<Empty title="Nothing came from it yet" />}
          />
        )}
      </Answered>
    </Section>
  );
}

function Flush({ onClose }: { onClose: () => void }) {
  const flush = useChange('POST /cache/flushall');
  return (
    <Confirm title="Empty the cache?" action="Empty it" run={() => flush.mutateAsync({})} onClose={onClose}>
      Every answer is asked of a provider again.
    </Confirm>
  );
}
