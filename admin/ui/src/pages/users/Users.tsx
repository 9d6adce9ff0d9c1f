import { Link } from 'react-router';
import type { User } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { roleLabel } from '@/api/rights';
import type { Column } from '@/parts/DataTable';
import { count } from '@/parts/format';
import { ListPage, useList } from '@/parts/ListPage';
import { Meter } from '@/parts/Meter';
import { sortQuery } from '@/parts/params';
import { When } from '@/parts/When';
import { UserForm } from './UserForm';

export const userName = (user: User) => user.user_email ?? user.user_alias ?? user.user_id;
const path = (user: User) => `/users/${encodeURIComponent(user.user_id)}`;

const COLUMNS: Column<User>[] = [
  {
    id: 'user_email',
    header: 'User',
    accessorFn: userName,
    cell: ({ row }) => <Link to={path(row.original)}>{userName(row.original)}</Link>,
  },
  {
    id: 'user_id',
    header: 'Id',
    accessorFn: (user) => user.user_id,
    cell: ({ row }) => <code>{row.original.user_id}</code>,
    meta: { minor: true },
  },
  {
    id: 'user_role',
    header: 'Role',
    accessorFn: (user) => user.user_role,
    cell: ({ row }) => roleLabel(row.original.user_role),
  },
  {
    id: 'keys',
    header: 'Keys',
    enableSorting: false,
    cell: ({ row }) => count(row.original.key_count ?? 0),
    meta: { number: true, minor: true },
  },
  {
    id: 'teams',
    header: 'Teams',
    enableSorting: false,
    cell: ({ row }) => count(row.original.teams.length),
    meta: { number: true, minor: true },
  },
  {
    id: 'spend',
    header: 'Spend',
    accessorFn: (user) => user.spend,
    cell: ({ row }) => <Meter spend={row.original.spend} budget={row.original.max_budget} />,
  },
  {
    id: 'created_at',
    header: 'Created',
    accessorFn: (user) => user.created_at,
    cell: ({ row }) => <When at={row.original.created_at} />,
    meta: { minor: true },
  },
];

export default function Users() {
  const list = useList();
  const users = useAnswer('GET /user/list', {
    query: { page: list.page, page_size: list.size, user_email: list.q, ...sortQuery(list.sort) },
  });
  return (
    <ListPage
      title="Users"
      about="Who may sign in, and as what."
      list={list}
      of={users}
      read={(answer) => ({ rows: answer.users, total: answer.total })}
      columns={COLUMNS}
      to={path}
      search="Find by e-mail"
      create={{ label: 'New user', right: 'change users', form: (close) => <UserForm onClose={close} /> }}
      empty="Users own keys and belong to teams."
    />
  );
}
