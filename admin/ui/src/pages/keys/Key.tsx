import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import type { Json, Key as Record } from '@/api/answers';
import { useAnswer, useChange } from '@/api/hooks';
import { userLabel } from '@/api/rights';
import { useMay } from '@/api/session';
import { Id } from '@/parts/Copy';
import { type Fact, Facts } from '@/parts/Facts';
import { count, moment, money } from '@/parts/format';
import { limits } from '@/parts/limits';
import { TeamLink } from '@/parts/links';
import { More } from '@/parts/More';
import { OnePage } from '@/parts/OnePage';
import { Page, Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { RecordActions } from '@/parts/RecordActions';
import { SpendByDay } from '@/parts/SpendByDay';
import { Chip, Chips } from '@/parts/Status';
import { When } from '@/parts/When';
import { budgetOf, increaseOf, KeyStatus, keyName } from './columns';
import { EditKeyForm } from './KeyForm';
import { Rotate } from './Rotate';

export default function Key() {
  const { id = '' } = useParams();
  const key = useAnswer('GET /key/info', { query: { key: id } });
  // An entry of the logs leads here by the hash that the key had then: the answer says which one it has now.
  return (
    <OnePage of={key} read={({ info }) => info} kind="Key" back={BACK}>
      {(info, { key: token }) => <Told of={{ ...info, token }} />}
    </OnePage>
  );
}

const BACK = { to: '/keys', label: 'Keys' };

function Told({ of }: { of: Record }) {
  const writes = useMay('change keys');
  return (
    <Page
      title={keyName(of)}
      badge={<KeyStatus of={of} />}
      about={<Id of={of.token} what="hash of the key" />}
      back={BACK}
      actions={writes && <Actions of={of} />}
    >
      <div className={css.columns}>
        <Section title="Budget and limits">
          <Facts of={limiting(of)} />
        </Section>
        <Section title="Whose, and for what">
          <Facts of={belonging(of)} />
        </Section>
      </div>
      <SpendByDay query={{ api_key: of.token }} />
      <More of="key" id={of.token} />
    </Page>
  );
}

function Actions({ of }: { of: Record }) {
  const block = useChange(of.blocked ? 'POST /key/unblock' : 'POST /key/block');
  const remove = useChange('POST /key/delete');
  return (
    <RecordActions
      kind="key"
      name={keyName(of)}
      edit={(close) => <EditKeyForm of={of} onClose={close} />}
      more={{ label: 'Rotate', form: (close) => <Rotate of={of} onClose={close} /> }}
      block={{
        blocked: of.blocked === true,
        run: () => block.mutateAsync({ body: { key: of.token } }),
        means: of.blocked
          ? 'Its requests are served again at once.'
          : 'Its requests are refused at once, until it is unblocked.',
      }}
      remove={{
        run: () => remove.mutateAsync({ body: { keys: [of.token] } }),
        means: 'Whoever uses it is refused from now on.',
        to: '/keys',
      }}
    />
  );
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

/** `$20.00 every 30d`, however it was written. What is no amount, or none at all, limits nothing. */
function told(budget: unknown): string | undefined {
  if (!isObject(budget)) return undefined;
  const limit = Number(budget['budget_limit'] ?? budget['max_budget']);
  const period = budget['time_period'] ?? budget['budget_duration'];
  if (!(limit > 0)) return undefined;
  return period ? `${money(limit)} every ${period}` : money(limit);
}

/** What limits single models. */
function ofModels(of: Record): Fact[] {
  const { model_rpm_limit: requests, model_tpm_limit: tokens } = of.metadata;
  const each = (label: string, all: unknown, tell: (value: unknown) => ReactNode) =>
    isObject(all)
      ? Object.entries(all).map(([model, value]): Fact => [`${label} ${model}`, tell(value)])
      : [];
  return [
    ...each('Budget of', of.model_max_budget, told),
    ...each('Requests per minute of', requests, (most) => count(Number(most))),
    ...each('Tokens per minute of', tokens, (most) => count(Number(most))),
  ];
}

function limiting(of: Record): Fact[] {
  const increase = increaseOf(of);
  return [
    ...limits(of.spend, { ...of, max_budget: budgetOf(of) }),
    ['Of it for a while', increase && `${money(increase.amount)}, until ${moment(increase.until)}`],
    ...ofModels(of),
    ['Tier', of.budget_id && <Chip key="tier">{of.budget_id}</Chip>],
    ['Expires', of.expires === null ? 'never' : <When key="expires" at={of.expires} />],
  ];
}

const isList = (value: unknown): value is string[] => Array.isArray(value) && value.length > 0;

function belonging(of: Record): Fact[] {
  const link = (to: string, id: string | null) =>
    id && <Link to={`${to}/${encodeURIComponent(id)}`}>{id}</Link>;
  const { tags, guardrails } = of.metadata;
  return [
    ['Key', <code key="name">{of.key_name}</code>],
    ['Team', of.team_id && <TeamLink key="team" id={of.team_id} />],
    ['User', link('/users', of.user_id)],
    ['Models', <Chips key="models" of={of.models} none="all that its owner may use" most={8} />],
    ['Tags', isList(tags) && <Chips key="tags" of={tags} none="" most={8} />],
    ['Guardrails', isList(guardrails) && <Chips key="guardrails" of={guardrails} none="" most={8} />],
    [
      'May call',
      of.allowed_routes.length > 0 && <Chips key="routes" of={of.allowed_routes} none="" most={8} />,
    ],
    ['Rotated', rotated(of)],
    [
      'Created',
      <>
        <When at={of.created_at} /> by {of.created_by === null ? 'nobody known' : userLabel(of.created_by)}
      </>,
    ],
    [
      'Metadata',
      Object.keys(of.metadata).length > 0 && <code key="metadata">{JSON.stringify(of.metadata)}</code>,
    ],
  ];
}

function rotated(of: Record) {
  if (of.rotation_count === 0 && !of.auto_rotate) return 'never';
  return (
    <>
      {of.rotation_count} times
      {of.last_rotation_at !== null && (
        <>
          , last <When at={of.last_rotation_at} />
        </>
      )}
      {of.key_rotation_at !== null && (
        <>
          , next <When at={of.key_rotation_at} />
        </>
      )}
    </>
  );
}
