import { Tooltip } from '@mantine/core';
import { Link } from 'react-router';
import type { Entry } from '@/api/answers';
import type { Column } from '@/parts/DataTable';
import { ago, between, compact, milliseconds, money, shortId, stamp } from '@/parts/format';
import { Status } from '@/parts/Status';

export const entryPath = (entry: Entry) => `/logs/${encodeURIComponent(entry.request_id)}`;
export const keyLabel = (entry: Entry) =>
  entry.metadata.user_api_key_alias ?? (entry.api_key ? shortId(entry.api_key) : '–');

/** What neither went well nor was refused: the client left, or the process ended. */
const ENDS = { cancelled: 'client left', interrupted: 'cut off' };

export function Outcome({ of }: { of: Entry }) {
  const { status, http_status: code } = of.metadata.weir;
  if (status === 'cancelled' || status === 'interrupted') return <Status tone="warn">{ENDS[status]}</Status>;
  if (of.status === 'success') return <Status tone="good">{code || 'served'}</Status>;
  return <Status tone="bad">{code || 'failed'}</Status>;
}

export const COLUMNS: Column<Entry>[] = [
  {
    id: 'time',
    header: 'Time',
    enableSorting: false,
    cell: ({ row }) => (
      <Link to={entryPath(row.original)}>
        <Tooltip label={ago(row.original.startTime)}>
          <time dateTime={row.original.startTime}>{stamp(row.original.startTime)}</time>
        </Tooltip>
      </Link>
    ),
  },
  { id: 'status', header: 'Status', enableSorting: false, cell: ({ row }) => <Outcome of={row.original} /> },
  {
    id: 'model',
    header: 'Model',
    enableSorting: false,
    accessorFn: (entry) => entry.model_group || entry.model,
  },
  { id: 'key', header: 'Key', enableSorting: false, accessorFn: keyLabel, meta: { minor: true } },
  {
    id: 'team',
    header: 'Team',
    enableSorting: false,
    accessorFn: (entry) => entry.metadata.user_api_key_team_alias ?? (entry.team_id || '–'),
    meta: { minor: true },
  },
  {
    id: 'in',
    header: 'In',
    enableSorting: false,
    cell: ({ row }) => compact(row.original.prompt_tokens),
    meta: { number: true, minor: true },
  },
  {
    id: 'out',
    header: 'Out',
    enableSorting: false,
    cell: ({ row }) => compact(row.original.completion_tokens),
    meta: { number: true, minor: true },
  },
  {
    id: 'took',
    header: 'Took',
    enableSorting: false,
    cell: ({ row }) => milliseconds(between(row.original.startTime, row.original.endTime)),
    meta: { number: true, minor: true },
  },
  {
    id: 'cost',
    header: 'Cost',
    enableSorting: false,
    cell: ({ row }) => (row.original.metadata.weir?.unpriced ? 'no price' : money(row.original.spend)),
    meta: { number: true },
  },
];
