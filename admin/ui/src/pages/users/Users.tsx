import { Link } from 'react-router';
import type { User, UserListed } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { roleLabel } from '@/api/rights';
import { Id } from '@/parts/Copy';
import { createdColumn, numberColumn, spendColumn } from '@/parts/columns';
import type { Column } from '@/parts/DataTable';
import { ListPage, useList } from '@/parts/ListPage';
import { sortQuery } from '@/parts/params';
import { UserForm } from './UserForm';

export const userName = (user: User) => user.user_email ?? user.user_alias ?? user.user_id;
const path = (user: User) => `/users/${encodeURIComponent(user.user_id)}`;

const COLUMNS: Column<UserListed>[] = [
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
    cell: ({ row }) => <Id of={row.original.user_id} />,
    meta: { minor: true },
  },
  {
    id: 'user_role',
    header: 'Role',
    accessorFn: (user) => user.user_role,
    cell: ({ row }) => roleLabel(row.original.user_role),
  },
  numberColumn({ id: 'keys', header: 'Keys', read: (user) => user.key_count, sorts: false }),
  numberColumn({ id: 'teams', header: 'Teams', read: (user) => user.teams.length, sorts: false }),
  spendColumn((user) => user.max_budget),
  createdColumn(),
];

export default function Users() {
  const list = useList();
  const users = useAnswer('GET /user/list', {
    query: { page: list.page, page_size: list.size, search: list.q, ...sortQuery(list.sort) },
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
      search="Find by name, e-mail or id"
      create={{ label: 'New user', right: 'change users', form: (close) => <UserForm onClose={close} /> }}
      empty="Users own keys and belong to teams."
    />
  );
}
