import { Link } from 'react-router';
import type { Key } from '@/api/answers';
import { createdColumn, spendColumn } from '@/parts/columns';
import type { Column } from '@/parts/DataTable';
import { shortId } from '@/parts/format';
import { Chips, Status } from '@/parts/Status';
import { TeamLink } from '@/parts/TeamLink';

export const keyName = (key: Key) => key.key_alias ?? key.key_name;
export const keyPath = (key: Key) => `/keys/${key.token}`;

export function KeyStatus({ of }: { of: Key }) {
  if (of.blocked) return <Status tone="bad">Blocked</Status>;
  if (of.expires !== null && Date.parse(of.expires) < Date.now()) return <Status tone="bad">Expired</Status>;
  if (of.max_budget !== null && of.spend >= of.max_budget) return <Status tone="warn">Budget spent</Status>;
  return <Status tone="good">Active</Status>;
}

/** Names of columns that the server can sort by are the server's. */
export const COLUMNS: Column<Key>[] = [
  {
    id: 'key_alias',
    header: 'Name',
    accessorFn: keyName,
    cell: ({ row }) => <Link to={keyPath(row.original)}>{keyName(row.original)}</Link>,
  },
  {
    id: 'token',
    header: 'Key',
    enableSorting: false,
    cell: ({ row }) => <code>{row.original.key_name}</code>,
    meta: { minor: true },
  },
  {
    id: 'status',
    header: 'Status',
    enableSorting: false,
    cell: ({ row }) => <KeyStatus of={row.original} />,
  },
  {
    id: 'team_id',
    header: 'Team',
    cell: ({ row }) => <TeamLink id={row.original.team_id} alias={row.original.team_alias} />,
    accessorFn: (key) => key.team_id,
    meta: { minor: true },
  },
  {
    id: 'user_id',
    header: 'User',
    accessorFn: (key) => key.user_id,
    cell: ({ row: { original } }) =>
      original.user_id === null ? (
        '–'
      ) : (
        <Link to={`/users/${encodeURIComponent(original.user_id)}`}>
          {original.user_email ?? shortId(original.user_id)}
        </Link>
      ),
    meta: { minor: true },
  },
  {
    id: 'models',
    header: 'Models',
    enableSorting: false,
    cell: ({ row }) => <Chips of={row.original.models} none="all" most={2} />,
    meta: { minor: true },
  },
  spendColumn((key) => key.max_budget),
  createdColumn(),
];
