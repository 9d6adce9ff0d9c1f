import { Link, useParams } from 'react-router';
import type { Entry } from '@/api/answers';
import { userLabel } from '@/api/rights';
import { Id } from '@/parts/Copy';
import { type Fact, Facts, Numbers } from '@/parts/Facts';
import { between, compact, exactMoney, milliseconds, moment } from '@/parts/format';
import { Notice } from '@/parts/Notice';
import { OnePage } from '@/parts/OnePage';
import { Page, Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Chips } from '@/parts/Status';
import { Bodies } from './Bodies';
import { Budgets } from './Budgets';
import { keyLabel, Outcome } from './columns';
import { useEntries } from './entries';
import { Price } from './Price';
import { Timeline } from './Timeline';

export default function Exchange() {
  const { id = '' } = useParams();
  const found = useEntries({ request_id: id }, 1);
  return (
    <OnePage of={found} read={({ rows: [of] }) => of} kind="Request" back={BACK} gone={GONE}>
      {(of) => <Told of={of} />}
    </OnePage>
  );
}

const BACK = { to: '/logs', label: 'Logs' };

const GONE = 'Entries come a second after the answer, and go when their retention ends.';

function Told({ of }: { of: Entry }) {
  const error = of.metadata.error_information;
  return (
    <Page
      title={of.model_group || of.model}
      badge={<Outcome of={of} />}
      about={moment(of.startTime)}
      back={BACK}
    >
      {error !== undefined && (
        <Notice tone="bad" title={`${error.error_class} (${error.error_code})`}>
          <p className={css.refusal}>{error.error_message}</p>
        </Notice>
      )}
      <Numbers
        of={[
          {
            label: 'Cost',
            value: exactMoney(of.spend),
            note: of.metadata.weir?.unpriced ? 'no price was known' : undefined,
          },
          { label: 'Took', value: milliseconds(between(of.startTime, of.endTime)) },
          {
            label: 'To the first token',
            value: firstToken(of),
            note: of.metadata.weir?.stream === true ? undefined : 'no stream',
          },
          { label: 'Tokens in', value: compact(of.prompt_tokens) },
          {
            label: 'Tokens out',
            value: compact(of.completion_tokens),
            note: SOURCES[of.metadata.weir?.usage_source ?? 'none'],
          },
        ]}
      />
      <Section title="Attempts" about="on the way to an answer">
        <Timeline of={of} />
      </Section>
      <div className={css.columns}>
        <Section title="Price" about="quantity × price, at the time">
          <Price of={of} />
        </Section>
        <Section title="Budgets" about="before and after">
          <Budgets of={of} />
        </Section>
        <Section title="Who and where">
          <Facts of={facts(of)} />
        </Section>
      </div>
      <Bodies of={of} />
    </Page>
  );
}

/** Whoever was refused got none, whatever was asked for: then the end stands there. */
function firstToken({ metadata, startTime, completionStartTime, endTime }: Entry): string {
  const came = metadata.weir?.stream === true && completionStartTime !== endTime;
  return came ? milliseconds(between(startTime, completionStartTime)) : '–';
}

const SOURCES = {
  none: 'nothing was used',
  reported: 'as the provider reports',
  estimated: 'estimated by the gateway',
};

function facts(of: Entry): Fact[] {
  const weir = of.metadata.weir;
  const link = (to: string, id: string, label = id) =>
    id && <Link to={`${to}/${encodeURIComponent(id)}`}>{label}</Link>;
  return [
    ['Request', <Id key="id" of={of.request_id} />],
    ['Call', weir !== undefined && weir.call_id !== of.request_id && <Id key="call" of={weir.call_id} />],
    [
      'Session',
      of.session_id && (
        <Link key="session" to={`/logs?session_id=${encodeURIComponent(of.session_id)}`}>
          all of this session
        </Link>
      ),
    ],
    ['Key', link('/keys', of.api_key, keyLabel(of))],
    ['Team', link('/teams', of.team_id, of.metadata.user_api_key_team_alias ?? of.team_id)],
    ['User', link('/users', of.user, userLabel(of.user))],
    [
      'Customer',
      of.end_user && (
        <Link key="customer" to={`/logs?end_user=${encodeURIComponent(of.end_user)}`}>
          {of.end_user}
        </Link>
      ),
    ],
    ['Cache', of.cache_hit === 'True' && 'answered from the cache'],
    ['Tags', of.request_tags.length > 0 && <Chips key="tags" of={of.request_tags} none="" most={6} />],
    ['Asked for', weir?.model_requested],
    ['Served by', of.model_id && link('/models', of.model_id, of.model)],
    ['Provider', of.api_base && `${of.custom_llm_provider}, ${of.api_base}`],
    ['Client', `${of.requester_ip_address} ${weir?.user_agent ?? ''}`],
  ];
}
