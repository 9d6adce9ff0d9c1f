import { Link, useParams } from 'react-router';
import type { Organization as Record } from '@/api/answers';
import { asBody, useAnswer, useChange } from '@/api/hooks';
import { useMay } from '@/api/session';
import { Id } from '@/parts/Copy';
import { spendColumn } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { type Fact, Facts } from '@/parts/Facts';
import { limits } from '@/parts/limits';
import { Members } from '@/parts/Members';
import { More } from '@/parts/More';
import { OnePage } from '@/parts/OnePage';
import { Page, Section } from '@/parts/Page';
import { RecordActions } from '@/parts/RecordActions';
import { SpendByDay } from '@/parts/SpendByDay';
import { Chips } from '@/parts/Status';
import { When } from '@/parts/When';
import { MEMBER } from './fields';
import { OrganizationForm } from './OrganizationForm';

export default function Organization() {
  const { id = '' } = useParams();
  const found = useAnswer('GET /organization/info', { query: { organization_id: id } });
  return (
    <OnePage of={found} read={(of) => of} kind="Organisation" back={BACK}>
      {(of) => <Told of={of} />}
    </OnePage>
  );
}

const BACK = { to: '/organizations', label: 'Organisations' };

type OfTeam = NonNullable<Record['teams']>[number];

const TEAMS: Column<OfTeam>[] = [
  {
    id: 'team',
    header: 'Team',
    accessorFn: (team) => team.team_alias ?? team.team_id,
    cell: ({ row: { original } }) => (
      <Link to={`/teams/${encodeURIComponent(original.team_id)}`}>
        {original.team_alias ?? original.team_id}
      </Link>
    ),
  },
  spendColumn((team) => team.max_budget),
];

function Told({ of }: { of: Record }) {
  const writes = useMay('change organizations');
  const teams = of.teams ?? [];
  return (
    <Page
      title={of.organization_alias}
      about={<Id of={of.organization_id} />}
      back={BACK}
      actions={writes && <Actions of={of} />}
    >
      <Section title="Budget and limits">
        <Facts of={facts(of)} />
      </Section>
      <OrganizationMembers of={of} />
      <Section title="Teams" about={String(teams.length)} bare>
        <DataTable label="Teams" columns={TEAMS} rows={teams} empty={<Empty title="No teams" />} />
      </Section>
      <SpendByDay route="GET /organization/daily/activity" query={{ organization_ids: of.organization_id }} />
      <More of="organization" id={of.organization_id} />
    </Page>
  );
}

function facts(of: Record): Fact[] {
  return [
    ...limits(of.spend, of.litellm_budget_table),
    ['Models', <Chips key="models" of={of.models} none="all" most={10} />],
    ['Created', <When key="created" at={of.created_at} />],
  ];
}

function Actions({ of }: { of: Record }) {
  const remove = useChange('DELETE /organization/delete');
  return (
    <RecordActions
      kind="organisation"
      name={of.organization_alias}
      edit={(close) => <OrganizationForm of={of} onClose={close} />}
      remove={{
        run: () => remove.mutateAsync({ body: asBody({ organization_ids: [of.organization_id] }) }),
        means: 'Its teams and their keys go with it.',
        to: '/organizations',
      }}
    />
  );
}

function OrganizationMembers({ of }: { of: Record }) {
  const writes = useMay('change organization members');
  const removes = useMay('change organizations');
  const add = useChange('POST /organization/member_add');
  const change = useChange('PATCH /organization/member_update');
  const remove = useChange('DELETE /organization/member_delete');
  const body = { organization_id: of.organization_id };
  const rows = (of.members ?? []).map((member) => ({
    user_id: member.user_id,
    user_email: member.user?.user_email ?? null,
    role: member.user_role,
    spend: member.spend,
  }));
  return (
    <Members
      of={of.organization_alias}
      members={rows}
      fields={MEMBER}
      writes={writes}
      removes={removes}
      add={({ user_id, role = 'internal_user' }) =>
        add.mutateAsync({ body: asBody({ ...body, member: { user_id, role } }) })
      }
      change={(member, values) =>
        change.mutateAsync({ body: asBody({ ...body, user_id: member.user_id, ...values }) })
      }
      remove={(member) => remove.mutateAsync({ body: asBody({ ...body, user_id: member.user_id }) })}
    />
  );
}
