import { Link } from 'react-router';
import type { Organization } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { createdColumn, numberColumn, spendColumn } from '@/parts/columns';
import type { Column } from '@/parts/DataTable';
import { ListPage, useList } from '@/parts/ListPage';
import { sortQuery } from '@/parts/params';
import { Chips } from '@/parts/Status';
import { OrganizationForm } from './OrganizationForm';

const path = (row: Organization) => `/organizations/${encodeURIComponent(row.organization_id)}`;

const COLUMNS: Column<Organization>[] = [
  {
    id: 'organization_alias',
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
  numberColumn({ id: 'teams', header: 'Teams', read: (row) => row.teams?.length ?? 0, sorts: false }),
  numberColumn({
    id: 'members',
    header: 'Members',
    read: (row) => row.members?.length ?? 0,
    major: true,
    sorts: false,
  }),
  spendColumn((row) => row.litellm_budget_table?.max_budget),
  createdColumn(),
];

export default function Organizations() {
  const list = useList();
  const organizations = useAnswer('GET /organization/list', {
    query: { page: list.page, size: list.size, search: list.q, ...sortQuery(list.sort) },
  });
  return (
    <ListPage
      title="Organisations"
      about="Teams of one company or department, with a budget over all of them."
      list={list}
      of={organizations}
      read={(answer) => ({ rows: answer.organizations, total: answer.total_count })}
      columns={COLUMNS}
      to={path}
      search="Find by name or id"
      create={{
        label: 'New organisation',
        right: 'add organizations',
        form: (close) => <OrganizationForm onClose={close} />,
      }}
      empty="Needed only where several companies or departments share a gateway."
    />
  );
}
