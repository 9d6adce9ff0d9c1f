import { Link, useParams } from 'react-router';
import type { Team as Record } from '@/api/answers';
import { asBody, useAnswer, useChange } from '@/api/hooks';
import type { Answers } from '@/api/routes';
import { useMay, useSession } from '@/api/session';
import { Id } from '@/parts/Copy';
import { type Fact, Facts } from '@/parts/Facts';
import { limits } from '@/parts/limits';
import { OrganizationLink } from '@/parts/links';
import { Members } from '@/parts/Members';
import { More } from '@/parts/More';
import { OnePage } from '@/parts/OnePage';
import { Page, Section } from '@/parts/Page';
import { RecordActions } from '@/parts/RecordActions';
import { SpendByDay } from '@/parts/SpendByDay';
import { Chips, Status } from '@/parts/Status';
import { When } from '@/parts/When';
import { KeysOf, useKeyPage } from '../keys/KeysOf';
import { MEMBER } from './fields';
import { TeamForm } from './TeamForm';
import { teamName } from './Teams';

export default function Team() {
  const { id = '' } = useParams();
  const list = useKeyPage();
  const team = useAnswer('GET /team/info', { query: { team_id: id, page: list.page, size: list.size } });
  return (
    <OnePage of={team} read={(answer) => answer} kind="Team" back={BACK}>
      {(answer) => <Told {...answer} list={list} />}
    </OnePage>
  );
}

const BACK = { to: '/teams', label: 'Teams' };

type Props = Answers['GET /team/info'] & { list: ReturnType<typeof useKeyPage> };

function Told({ team_info: of, keys, total_count, team_memberships, list }: Props) {
  const writes = useMay('change teams');
  const bills = useMay('reports');
  return (
    <Page
      title={teamName(of)}
      badge={of.blocked && <Status tone="bad">Blocked</Status>}
      about={<Id of={of.team_id} />}
      back={BACK}
      actions={writes && <Actions of={of} />}
    >
      <Section title="Budget and limits">
        <Facts of={facts(of, bills)} />
      </Section>
      <TeamMembers of={of} memberships={team_memberships} />
      <KeysOf keys={keys} total={total_count} list={list} start={{ team_id: of.team_id }} />
      <SpendByDay route="GET /team/daily/activity" query={{ team_ids: of.team_id }} />
      <More of="team" id={of.team_id} />
    </Page>
  );
}

function facts(of: Record, bills: boolean): Fact[] {
  return [
    ...limits(of.spend, of),
    ['Models', <Chips key="models" of={of.models} none="all" most={10} />],
    ['Organisation', of.organization_id && <OrganizationLink key="organization" id={of.organization_id} />],
    [
      'Bill',
      bills && (
        <Link key="bill" to={`/usage/chargeback/${encodeURIComponent(of.team_id)}`}>
          Chargeback of this month
        </Link>
      ),
    ],
    ['Created', <When key="created" at={of.created_at} />],
    [
      'Metadata',
      Object.keys(of.metadata).length > 0 && <code key="metadata">{JSON.stringify(of.metadata)}</code>,
    ],
  ];
}

function Actions({ of }: { of: Record }) {
  const body = { team_id: of.team_id };
  const block = useChange(of.blocked ? 'POST /team/unblock' : 'POST /team/block');
  const remove = useChange('POST /team/delete');
  return (
    <RecordActions
      kind="team"
      name={teamName(of)}
      edit={(close) => <TeamForm of={of} onClose={close} />}
      block={{
        blocked: of.blocked,
        run: () => block.mutateAsync({ body }),
        means: of.blocked ? 'Its keys are served again.' : 'All its keys are refused until it is unblocked.',
      }}
      remove={{
        run: () => remove.mutateAsync({ body: { team_ids: [of.team_id] } }),
        means: 'Its keys go with it, and whoever uses them is refused from now on.',
        to: '/teams',
      }}
    />
  );
}

interface MembersProps {
  of: Record;
  memberships: Answers['GET /team/info']['team_memberships'];
}

function TeamMembers({ of, memberships }: MembersProps) {
  const { user_id } = useSession();
  const [changes, seesUsers] = [useMay('change teams'), useMay('see users')];
  // An id may look like an address: only what was typed can be one.
  const named = (text: unknown) =>
    !seesUsers && String(text).includes('@') ? { user_email: text } : { user_id: text };
  // A lead of the team may, whatever the role is elsewhere.
  const leads = of.members_with_roles.some((member) => member.user_id === user_id && member.role === 'admin');
  const add = useChange('POST /team/member_add');
  const change = useChange('POST /team/member_update');
  const remove = useChange('POST /team/member_delete');
  const rows = of.members_with_roles.map((member) => {
    const told = memberships.find((row) => row.user_id === member.user_id);
    const budget = told?.litellm_budget_table;
    return {
      ...member,
      spend: told?.spend,
      max_budget_in_team: budget?.max_budget,
      budget_duration: budget?.budget_duration,
    };
  });
  const body = { team_id: of.team_id };
  return (
    <Members
      of={teamName(of)}
      members={rows}
      fields={MEMBER}
      writes={changes || leads}
      add={({ user_id: user, role = 'user', ...rest }) =>
        add.mutateAsync({ body: asBody({ ...body, member: { ...named(user), role }, ...rest }) })
      }
      change={(member, values) =>
        change.mutateAsync({
          body: asBody({ ...body, user_id: member.user_id, role: member.role, ...values }),
        })
      }
      remove={(member) => remove.mutateAsync({ body: asBody({ ...body, user_id: member.user_id }) })}
      loses={`what comes with ${teamName(of)}, and at once the keys in it`}
    />
  );
}
