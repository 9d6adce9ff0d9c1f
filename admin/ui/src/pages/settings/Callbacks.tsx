import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Callbacks as Answer } from '@/api/answers';
import { call } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
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

export function Callbacks() {
  const callbacks = useAnswer('GET /get/config/callbacks');
  return (
    <Answered of={callbacks}>
      {(answer) => (
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
