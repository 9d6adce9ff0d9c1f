import { Link } from 'react-router';
import type { Customer } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { Id } from '@/parts/Copy';
import { spendColumn } from '@/parts/columns';
import type { Column } from '@/parts/DataTable';
import { ListPage, useList } from '@/parts/ListPage';
import { sortQuery } from '@/parts/params';
import { Status } from '@/parts/Status';
import { CustomerForm } from './CustomerForm';

export const customerName = (row: Customer) => row.alias ?? row.user_id;
const path = (row: Customer) => `/customers/${encodeURIComponent(row.user_id)}`;

const COLUMNS: Column<Customer>[] = [
  {
    id: 'alias',
    header: 'Name',
    accessorFn: customerName,
    cell: ({ row }) => <Link to={path(row.original)}>{customerName(row.original)}</Link>,
  },
  {
    id: 'user_id',
    header: 'Id',
    accessorFn: (row) => row.user_id,
    cell: ({ row }) => <Id of={row.original.user_id} />,
    meta: { minor: true },
  },
  {
    id: 'status',
    header: 'Status',
    enableSorting: false,
    accessorFn: (row) => row.blocked,
    cell: ({ row }) =>
      row.original.blocked ? <Status tone="bad">Blocked</Status> : <Status tone="good">Active</Status>,
  },
  spendColumn((row) => row.litellm_budget_table?.max_budget),
  {
    id: 'region',
    header: 'Region',
    enableSorting: false,
    accessorFn: (row) => row.allowed_model_region ?? 'any',
    meta: { minor: true },
  },
];

export default function Customers() {
  const list = useList();
  const customers = useAnswer('GET /customer/list', {
    query: { page: list.page, size: list.size, search: list.q, ...sortQuery(list.sort) },
  });
  return (
    <ListPage
      title="Customers"
      about="End users, as clients name them in the field user of a request."
      list={list}
      of={customers}
      read={(answer) => ({ rows: answer.customers, total: answer.total_count })}
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
