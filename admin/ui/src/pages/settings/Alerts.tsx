import type { SettingField } from '@/api/answers';
import { useReplica } from '@/api/replica';
import { Facts } from '@/parts/Facts';
import { count } from '@/parts/format';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { SettingsTable } from './SettingsTable';

const ofAlerts = ({ field_name: name }: SettingField) => name.startsWith('alert');

/** Who is told of what. */
export function Alerts() {
  const replica = useReplica();
  const dropped = replica.data?.alertsDropped;
  return (
    <div className={css.form}>
      <p className={css.refusal}>
        Receivers are named in general_settings.alerting: slack with its address in SLACK_WEBHOOK_URL, webhook
        with WEBHOOK_URL.
      </p>
      {dropped !== undefined && (
        <Section title="This replica" about="since its start">
          <Facts of={[['Alerts that reached nobody', count(dropped)]]} />
        </Section>
      )}
      <SettingsTable section="general_settings" wanted={ofAlerts} />
    </div>
  );
}
