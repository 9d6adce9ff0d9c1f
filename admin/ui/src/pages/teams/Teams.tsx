import { Link } from 'react-router';
import type { Team } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { useMay, useSession } from '@/api/session';
import { createdColumn, numberColumn, spendColumn } from '@/parts/columns';
import type { Column } from '@/parts/DataTable';
import { ListPage, useList } from '@/parts/ListPage';
import { sortQuery } from '@/parts/params';
import { Chips, Status } from '@/parts/Status';
import { TeamForm } from './TeamForm';

export const teamName = (team: Team) => team.team_alias ?? team.team_id;
const path = (team: Team) => `/teams/${encodeURIComponent(team.team_id)}`;

const COLUMNS: Column<Team>[] = [
  {
    id: 'team_alias',
    header: 'Name',
    accessorFn: teamName,
    cell: ({ row }) => <Link to={path(row.original)}>{teamName(row.original)}</Link>,
  },
  {
    id: 'status',
    header: 'Status',
    enableSorting: false,
    cell: ({ row }) =>
      row.original.blocked ? <Status tone="bad">Blocked</Status> : <Status tone="good">Active</Status>,
    meta: { minor: true },
  },
  {
    id: 'models',
    header: 'Models',
    enableSorting: false,
    cell: ({ row }) => <Chips of={row.original.models} none="all" />,
    meta: { minor: true },
  },
  numberColumn({
    id: 'members',
    header: 'Members',
    read: (team) => team.members_with_roles.length,
    sorts: false,
  }),
  spendColumn((team) => team.max_budget),
  createdColumn(),
];

export default function Teams() {
  const list = useList();
  const { user_id } = useSession();
  const seesAll = useMay('see all');
  const own = seesAll ? {} : { user_id };
  const teams = useAnswer('GET /v2/team/list', {
    query: { page: list.page, page_size: list.size, team_alias: list.q, ...own, ...sortQuery(list.sort) },
  });
  return (
    <ListPage
      title="Teams"
      about="Who shares budgets, models and limits."
      list={list}
      of={teams}
      read={(answer) => ({ rows: answer.teams, total: answer.total })}
      columns={COLUMNS}
      to={path}
      search="Find by name"
      create={{ label: 'New team', right: 'change teams', form: (close) => <TeamForm onClose={close} /> }}
      empty="A team has members and keys; what they spend counts against its budget."
    />
  );
}
