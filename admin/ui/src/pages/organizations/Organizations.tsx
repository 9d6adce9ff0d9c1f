import { Link } from 'react-router';
import type { Organization } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import type { Column } from '@/parts/DataTable';
import { count } from '@/parts/format';
import { ListPage, useList } from '@/parts/ListPage';
import { Meter } from '@/parts/Meter';
import { Chips } from '@/parts/Status';
import { When } from '@/parts/When';
import { OrganizationForm } from './OrganizationForm';

const path = (row: Organization) => `/organizations/${encodeURIComponent(row.organization_id)}`;

const COLUMNS: Column<Organization>[] = [
  {
    id: 'name',
    header: 'Name',
    accessorFn: (row) => row.organization_alias,
    cell: ({ row }) => <Link to={path(row.original)}>{row.original.organization_alias}</Link>,
  },
  {
    id: 'models',
    header: 'Models',
    enableSorting: false,
    cell: ({ row }) => <Chips of={row.original.models} none="all" />,
    meta: { minor: true },
  },
  {
    id: 'teams',
    header: 'Teams',
    accessorFn: (row) => row.teams?.length ?? 0,
    cell: ({ row }) => count(row.original.teams?.length ?? 0),
    meta: { number: true, minor: true },
  },
  {
    id: 'members',
    header: 'Members',
    accessorFn: (row) => row.members?.length ?? 0,
    cell: ({ row }) => count(row.original.members?.length ?? 0),
    meta: { number: true },
  },
  {
    id: 'spend',
    header: 'Spend',
    accessorFn: (row) => row.spend,
    cell: ({ row }) => (
      <Meter spend={row.original.spend} budget={row.original.litellm_budget_table?.max_budget} />
    ),
  },
  {
    id: 'created',
    header: 'Created',
    accessorFn: (row) => row.created_at,
    cell: ({ row }) => <When at={row.original.created_at} />,
    meta: { minor: true },
  },
];

export default function Organizations() {
  const list = useList();
  const all = useAnswer('GET /organization/list');
  return (
    <ListPage
      title="Organisations"
      about="Teams of one company or department, with a budget over all of them."
      list={list}
      of={all}
      read={(rows) => ({
        rows: rows.filter((row) =>
          `${row.organization_alias} ${row.organization_id}`.toLowerCase().includes(list.q.toLowerCase()),
        ),
      })}
      columns={COLUMNS}
      to={path}
      search="Find by name"
      create={{
        label: 'New organisation',
        right: 'add organizations',
        form: (close) => <OrganizationForm onClose={close} />,
      }}
      empty="Needed only where several companies or departments share a gateway."
    />
  );
}
