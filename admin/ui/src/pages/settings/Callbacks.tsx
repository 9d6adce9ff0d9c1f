import type { Callbacks as Answer, CallbackState } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { compact, count } from '@/parts/format';
import type { Tone } from '@/parts/Notice';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import { When } from '@/parts/When';
import { Test } from './Test';

interface Row {
  name: string;
  types: string[];
  /** Of the replica that answers; none for what is asked and not told. */
  state: CallbackState | undefined;
}

/** Each name once, whatever lists it stands in. */
function rowsOf({ callbacks }: Answer, states: CallbackState[]): Row[] {
  return [...new Set(callbacks.map((row) => row.name))].map((name) => ({
    name,
    types: callbacks.filter((row) => row.name === name).map((row) => row.type.replaceAll('_', ' ')),
    state: states.find((state) => state.name === name),
  }));
}

const STATES: Record<CallbackState['status'], [tone: Tone, text: string]> = {
  healthy: ['good', 'arrives'],
  failing: ['bad', 'fails since'],
  unused: ['plain', 'nothing sent yet'],
  unusable: ['bad', 'not set up'],
};

function State({ of }: { of: CallbackState | undefined }) {
  if (of === undefined) return <span className={css.dim}>is asked, not told</span>;
  const [tone, text] = STATES[of.status];
  return (
    <>
      <Status tone={tone}>
        {text} {of.failing_since !== null && <When at={of.failing_since} />}
      </Status>
      {of.last_error !== null && of.status !== 'healthy' && <div className={css.dim}>{of.last_error}</div>}
    </>
  );
}

const counted = (value: number | undefined) => (value === undefined ? '–' : count(value));

const COLUMNS: Column<Row>[] = [
  { id: 'name', header: 'Callback', accessorFn: (row) => row.name },
  { id: 'types', header: 'Told of', accessorFn: (row) => row.types.join(', '), meta: { minor: true } },
  {
    id: 'state',
    header: 'State',
    accessorFn: (row) => row.state?.status ?? '',
    cell: ({ row }) => <State of={row.original.state} />,
    meta: { wide: true },
  },
  {
    id: 'delivered',
    header: 'Delivered',
    accessorFn: (row) => row.state?.delivered ?? 0,
    cell: ({ row }) => counted(row.original.state?.delivered),
    meta: { number: true, minor: true },
  },
  {
    id: 'dropped',
    header: 'Lost',
    accessorFn: (row) => row.state?.dropped ?? 0,
    cell: ({ row }) => counted(row.original.state?.dropped),
    meta: { number: true, minor: true },
  },
  {
    id: 'waiting',
    header: 'Waiting',
    accessorFn: (row) => row.state?.queue_bytes ?? 0,
    cell: ({ row }) => (row.original.state ? `${compact(row.original.state.queue_bytes)} B` : '–'),
    meta: { number: true, minor: true },
  },
  {
    id: 'test',
    header: 'Test',
    enableSorting: false,
    cell: ({ row }) => <Test service={row.original.name} />,
  },
];

/** Who is told of requests, and how that goes in the replica that answers. */
export function Callbacks() {
  const callbacks = useAnswer('GET /get/config/callbacks');
  const states = useAnswer('GET /health/callbacks', {}, { every: 15_000 });
  return (
    <Answered of={callbacks}>
      {(answer) => (
        <Answered of={states}>
          {(told) => (
            <DataTable
              label="Callbacks"
              columns={COLUMNS}
              rows={rowsOf(answer, told.callbacks)}
              empty={
                <Empty
                  title="No callbacks"
                  text="They are named in litellm_settings.callbacks of the configuration."
                />
              }
            />
          )}
        </Answered>
      )}
    </Answered>
  );
}
