import { address } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { useReplica } from '@/api/replica';
import { roleLabel, userLabel } from '@/api/rights';
import { useSession } from '@/api/session';
import { Answered } from '@/parts/Answered';
import { Facts } from '@/parts/Facts';
import { count, milliseconds, moment, percent } from '@/parts/format';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Chips, Status } from '@/parts/Status';

export function About() {
  const health = useAnswer('GET /health/readiness', {}, { every: 15_000 });
  const options = useAnswer('GET /ui/options');
  const session = useSession();
  return (
    <div className={css.columns}>
      <Section title="This gateway">
        <Answered of={health}>
          {(answer) => (
            <Facts
              of={[
                ['Weir', answer.weir_version],
                ['API', `LiteLLM ${answer.litellm_version}`],
                [
                  'Ledger',
                  <Status key="db" tone={answer.db === 'connected' ? 'good' : 'bad'}>
                    {answer.db}
                  </Status>,
                ],
                ['Cache', answer.cache ?? 'none'],
                ['Callbacks', <Chips key="callbacks" of={answer.success_callbacks} none="none" most={10} />],
                ['Single sign-on', options.data && (options.data.sso ? 'set up' : 'not set up')],
                [
                  'API documentation',
                  <a key="docs" href={address('/docs')} target="_blank" rel="noreferrer">
                    /docs
                  </a>,
                ],
              ]}
            />
          )}
        </Answered>
      </Section>
      <Replica />
      <Section title="You">
        <Facts
          of={[
            ['User', userLabel(session.user_id)],
            ['Role', roleLabel(session.role)],
            ['Signed in until', moment(session.expires_at)],
          ]}
        />
      </Section>
    </div>
  );
}

/** What is going on in the process that answers; behind a balancer each answers for itself. */
function Replica() {
  const { data } = useReplica();
  if (!data) return null;
  return (
    <Section title="This replica" about="since its start">
      <Facts
        of={[
          ['Entries waiting for the ledger', count(data.journal_waiting_entries)],
          [
            'Age of the oldest',
            data.journal_lag_seconds > 0 && milliseconds(data.journal_lag_seconds * 1000),
          ],
          ['Journal', `${percent(data.journal_bytes, data.journal_max_bytes)} full`],
          ['Ledger calls that failed', count(data.ledger_failures)],
          ['Requests refused for lack of room', count(data.shed_requests)],
          ['Requests without a known price', count(data.unpriced_requests)],
          ['Records that callbacks were not told of', count(data.callbacks_dropped)],
          ['Alerts that reached nobody', count(data.alerts_dropped)],
        ]}
      />
    </Section>
  );
}
