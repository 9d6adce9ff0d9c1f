import { address } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { roleLabel } from '@/api/rights';
import { useSession } from '@/api/session';
import { Answered } from '@/parts/Answered';
import { Facts } from '@/parts/Facts';
import { moment } from '@/parts/format';
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
                ['Single sign-on', options.data?.sso === true ? 'set up' : 'not set up'],
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
      <Section title="You">
        <Facts
          of={[
            ['User', session.user_id],
            ['Role', roleLabel(session.role)],
            ['Signed in until', moment(session.expires_at)],
          ]}
        />
      </Section>
    </div>
  );
}
