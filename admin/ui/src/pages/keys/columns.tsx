import { Link } from 'react-router';
import type { Key } from '@/api/answers';
import { createdColumn, spendColumn } from '@/parts/columns';
import type { Column } from '@/parts/DataTable';
import { ago, shortId } from '@/parts/format';
import { TeamLink } from '@/parts/links';
import css from '@/parts/parts.module.css';
import { Chips, Status } from '@/parts/Status';

export const keyName = (key: Key) => key.key_alias ?? key.key_name;
export const keyPath = (key: Key) => `/keys/${key.token}`;

/** What a key has beside its budget for a while, while that lasts. */
export function increaseOf({ metadata }: Key): { amount: number; until: string } | undefined {
  const { temp_budget_increase: amount, temp_budget_expiry: until } = metadata;
  if (typeof amount !== 'number' || typeof until !== 'string') return undefined;
  return Date.parse(until) > Date.now() ? { amount, until } : undefined;
}

/** What it may spend now; `null`: anything. */
export const budgetOf = (key: Key): number | null =>
  key.max_budget === null ? null : key.max_budget + (increaseOf(key)?.amount ?? 0);

/** How long before its end a key is said to be near it. */
const SOON = 7 * 86_400_000;

export function KeyStatus({ of }: { of: Key }) {
  const [budget, left] = [budgetOf(of), of.expires === null ? SOON : Date.parse(of.expires) - Date.now()];
  if (of.blocked) return <Status tone="bad">Blocked</Status>;
  if (left < 0) return <Status tone="bad">Expired</Status>;
  if (budget !== null && of.spend >= budget) return <Status tone="warn">Budget spent</Status>;
  if (left < SOON) return <Status tone="warn">Expires {ago(of.expires ?? '')}</Status>;
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
    cell: ({ row }) => (
      <span className={css.id}>
        <code>{row.original.key_name}</code>
      </span>
    ),
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
    meta: { minor: true, cut: true },
  },
  {
    id: 'models',
    header: 'Models',
    enableSorting: false,
    cell: ({ row }) => <Chips of={row.original.models} none="all" most={2} />,
    meta: { minor: true },
  },
  spendColumn(budgetOf),
  createdColumn(),
];
