import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Callbacks as Answer } from '@/api/answers';
import { call } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { Facts } from '@/parts/Facts';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Chips, Status } from '@/parts/Status';

type Row = Answer['callbacks'][number];

const COLUMNS: Column<Row>[] = [
  { id: 'name', header: 'Callback', accessorFn: (row) => row.name },
  { id: 'type', header: 'Told of', accessorFn: (row) => row.type.replaceAll('_', ' ') },
  {
    id: 'variables',
    header: 'Variables',
    enableSorting: false,
    cell: ({ row }) => <Chips of={Object.keys(row.original.variables)} none="none" />,
    meta: { minor: true },
  },
  {
    id: 'test',
    header: 'Test',
    enableSorting: false,
    cell: ({ row }) => <Test service={row.original.name} />,
  },
];

const told = (value: unknown) => (value === null || value === undefined ? 'none' : JSON.stringify(value));

export function Callbacks() {
  const callbacks = useAnswer('GET /get/config/callbacks');
  return (
    <Answered of={callbacks}>
      {(answer) => (
        <div className={css.page} style={{ padding: 0 }}>
          <DataTable
            label="Callbacks"
            columns={COLUMNS}
            rows={answer.callbacks}
            empty={
              <Empty
                title="No callbacks"
                text="They are named in litellm_settings.callbacks of the configuration."
              />
            }
          />
          <Section title="Routing" about="what happens when a deployment fails">
            <Facts
              of={Object.entries(answer.router_settings).map(([name, value]) => [
                name,
                <code key={name}>{told(value)}</code>,
              ])}
            />
          </Section>
          <Section title="Alerts">
            {answer.alerts.length === 0 ? (
              'None are set up.'
            ) : (
              <pre className={css.pre}>{JSON.stringify(answer.alerts, null, 2)}</pre>
            )}
          </Section>
        </div>
      )}
    </Answered>
  );
}

/** Sends something to the service, and says what it answered. */
function Test({ service }: { service: string }) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<{ good: boolean; text: string } | null>(null);
  const run = async () => {
    setBusy(true);
    const answer = call('GET /health/services', { query: { service } });
    setResult(
      await answer
        .then(({ message }) => ({ good: true, text: message }))
        .catch((error: Error) => ({ good: false, text: error.message })),
    );
    setBusy(false);
  };
  return (
    <span className={css.filters}>
      <Button variant="default" size="compact-xs" loading={busy} onClick={run}>
        Test
      </Button>
      {result !== null && <Status tone={result.good ? 'good' : 'bad'}>{result.text}</Status>}
    </span>
  );
}
