import { Button, Modal } from '@mantine/core';
import { Link, useParams } from 'react-router';
import type { User as Record } from '@/api/answers';
import { useAnswer, useChange } from '@/api/hooks';
import { roleLabel } from '@/api/rights';
import { ROOT } from '@/api/root';
import type { Answers } from '@/api/routes';
import { useMay } from '@/api/session';
import { Failed } from '@/parts/Answered';
import { Id, Secret } from '@/parts/Copy';
import { type Fact, Facts } from '@/parts/Facts';
import { limits } from '@/parts/limits';
import { More } from '@/parts/More';
import { OnePage } from '@/parts/OnePage';
import { Page, Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { RecordActions } from '@/parts/RecordActions';
import { SpendByDay } from '@/parts/SpendByDay';
import { Chips, Status } from '@/parts/Status';
import { When } from '@/parts/When';
import { KeysOf, useKeyPage } from '../keys/KeysOf';
import { UserForm } from './UserForm';
import { userName } from './Users';

export default function User() {
  const { id = '' } = useParams();
  const list = useKeyPage();
  const user = useAnswer('GET /user/info', { query: { user_id: id, page: list.page, size: list.size } });
  return (
    <OnePage of={user} read={({ user_info }) => user_info ?? undefined} kind="User" back={BACK}>
      {(of, answer) => <Told of={of} {...answer} list={list} />}
    </OnePage>
  );
}

const BACK = { to: '/users', label: 'Users' };

type Props = Answers['GET /user/info'] & { of: Record; list: ReturnType<typeof useKeyPage> };

function Told({ of, keys, total_count, teams, list }: Props) {
  const writes = useMay('change users');
  return (
    <Page
      title={userName(of)}
      badge={<Status tone="plain">{roleLabel(of.user_role)}</Status>}
      about={<Id of={of.user_id} />}
      back={BACK}
      actions={writes && <Actions of={of} />}
    >
      <Section title="Budget and limits">
        <Facts of={facts(of, teams)} />
      </Section>
      <KeysOf keys={keys} total={total_count} list={list} start={{ user_id: of.user_id }} />
      <SpendByDay query={{ user_id: of.user_id }} />
      <More of="user" id={of.user_id} />
    </Page>
  );
}

function facts(of: Record, teams: Answers['GET /user/info']['teams']): Fact[] {
  return [
    ...limits(of.spend, of),
    ['Name', of.user_alias],
    ['Models', <Chips key="models" of={of.models} none="all" most={10} />],
    [
      'Teams',
      teams.length > 0 && (
        <span key="teams" className={css.chips}>
          {teams.map((team) => (
            <Link key={team.team_id} to={`/teams/${encodeURIComponent(team.team_id)}`}>
              {team.team_alias ?? team.team_id}
            </Link>
          ))}
        </span>
      ),
    ],
    ['Created', <When key="created" at={of.created_at} />],
  ];
}

function Actions({ of }: { of: Record }) {
  const remove = useChange('POST /user/delete');
  const invites = useMay('invite');
  return (
    <RecordActions
      kind="user"
      name={userName(of)}
      edit={(close) => <UserForm of={of} onClose={close} />}
      {...(invites && {
        more: { label: 'Invite', form: (close: () => void) => <Invite of={of} onClose={close} /> },
      })}
      remove={{
        run: () => remove.mutateAsync({ body: { user_ids: [of.user_id] } }),
        means: 'The keys of this user go, too.',
        to: '/users',
      }}
    />
  );
}

/** A link by which the user sets a password; whoever has it can, so it is made only when asked for. */
function Invite({ of, onClose }: { of: Record; onClose: () => void }) {
  const invite = useChange('POST /invitation/new');
  const link = (id: string) => `${window.location.origin}${ROOT}ui/?invitation_id=${encodeURIComponent(id)}`;
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Invite ${userName(of)}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <div className={css.form}>
        {invite.data === undefined ? (
          <p className={css.refusal}>
            Makes a link that sets a password and works for a week. Send it to nobody else.
          </p>
        ) : (
          <>
            <Secret text={link(invite.data.id)} what="The link" />
            <span className={css.dim}>
              Good until <When at={invite.data.expires_at} />
            </span>
          </>
        )}
        {invite.isError && <Failed error={invite.error} />}
        <div className={css.formEnd}>
          <Button variant="default" onClick={onClose}>
            {invite.data === undefined ? 'Cancel' : 'Done'}
          </Button>
          {invite.data === undefined && (
            <Button
              loading={invite.isPending}
              onClick={() => invite.mutate({ body: { user_id: of.user_id } })}
            >
              Make the link
            </Button>
          )}
        </div>
      </div>
    </Modal>
  );
}
