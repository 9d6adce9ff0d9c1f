import { useAnswer } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { Facts } from '@/parts/Facts';
import { Section } from '@/parts/Page';

const told = (value: unknown) => (value === null || value === undefined ? 'none' : JSON.stringify(value));

/** What happens when a deployment fails, as it is in force. */
export function Routing() {
  const answer = useAnswer('GET /get/config/callbacks');
  return (
    <Section title="In force" about="when a deployment fails">
      <Answered of={answer} lines={3}>
        {({ router_settings: settings }) => (
          <Facts
            of={Object.entries(settings).map(([name, value]) => [
              name,
              <code key={name}>{told(value)}</code>,
            ])}
          />
        )}
      </Answered>
    </Section>
  );
}
