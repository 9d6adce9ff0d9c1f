import { Link } from 'react-router';
import type { Customer } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { spendColumn } from '@/parts/columns';
import type { Column } from '@/parts/DataTable';
import { ListPage, useList } from '@/parts/ListPage';
import { Status } from '@/parts/Status';
import { CustomerForm } from './CustomerForm';

export const customerName = (row: Customer) => row.alias ?? row.user_id;
const path = (row: Customer) => `/customers/${encodeURIComponent(row.user_id)}`;

const COLUMNS: Column<Customer>[] = [
  {
    id: 'name',
    header: 'Name',
    accessorFn: customerName,
    cell: ({ row }) => <Link to={path(row.original)}>{customerName(row.original)}</Link>,
  },
  {
    id: 'id',
    header: 'Id',
    accessorFn: (row) => row.user_id,
    cell: ({ row }) => <code>{row.original.user_id}</code>,
    meta: { minor: true },
  },
  {
    id: 'status',
    header: 'Status',
    accessorFn: (row) => row.blocked,
    cell: ({ row }) =>
      row.original.blocked ? <Status tone="bad">Blocked</Status> : <Status tone="good">Active</Status>,
  },
  spendColumn((row) => row.litellm_budget_table?.max_budget),
  {
    id: 'region',
    header: 'Region',
    accessorFn: (row) => row.allowed_model_region ?? 'any',
    meta: { minor: true },
  },
];

export default function Customers() {
  const list = useList();
  const all = useAnswer('GET /customer/list');
  return (
    <ListPage
      title="Customers"
      about="End users that clients name in `user`."
      list={list}
      of={all}
      read={(rows) => ({
        rows: rows.filter((row) =>
          `${row.alias} ${row.user_id}`.toLowerCase().includes(list.q.toLowerCase()),
        ),
      })}
      columns={COLUMNS}
      to={path}
      search="Find by name or id"
      create={{
        label: 'New customer',
        right: 'customers',
        form: (close) => <CustomerForm onClose={close} />,
      }}
      empty="Make one to give an end user a budget, or to block it. Spend of the others is told under Usage."
    />
  );
}
