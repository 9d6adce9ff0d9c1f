import type { AlertChannel, SettingField } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { useReplica } from '@/api/replica';
import { Answered } from '@/parts/Answered';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { Facts } from '@/parts/Facts';
import { count } from '@/parts/format';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Chips } from '@/parts/Status';
import { SettingsTable } from './SettingsTable';
import { Test } from './Test';

const ofAlerts = ({ field_name: name }: SettingField) => name.startsWith('alert');

/** Whom a channel tells: the address of all, and those of single kinds of alerts. */
function addressesOf({ variables, alerts_to_webhook: own = {} }: AlertChannel): string[] {
  const all = Object.values(variables).filter((address) => address !== null);
  return [...all, ...Object.entries(own).map(([kind, addresses]) => `${kind}: ${addresses.join(', ')}`)];
}

const COLUMNS: Column<AlertChannel>[] = [
  { id: 'name', header: 'Channel', accessorFn: (row) => row.name },
  {
    id: 'addresses',
    header: 'Address',
    enableSorting: false,
    cell: ({ row }) => {
      const addresses = addressesOf(row.original);
      if (addresses.length === 0) return <span className={css.dim}>none is set</span>;
      return addresses.map((address) => (
        <div key={address}>
          <code className={css.code}>{address}</code>
        </div>
      ));
    },
  },
  {
    id: 'alerts',
    header: 'Told of',
    enableSorting: false,
    cell: ({ row }) => <Chips of={row.original.active_alerts} none="nothing" most={10} />,
    meta: { wide: true },
  },
  {
    id: 'test',
    header: 'Test',
    enableSorting: false,
    cell: ({ row }) => <Test service={row.original.name} />,
  },
];

/** Who is told of what. */
export function Alerts() {
  const callbacks = useAnswer('GET /get/config/callbacks');
  const replica = useReplica();
  const dropped = replica.data?.alerts_dropped;
  return (
    <div className={css.form}>
      <Section title="Who is told" about="of what" bare>
        <Answered of={callbacks} lines={3}>
          {({ alerts }) => (
            <DataTable
              label="Who is told"
              columns={COLUMNS}
              rows={alerts}
              empty={
                <Empty
                  title="Nobody is told"
                  text="Name slack or webhook in general_settings.alerting, and set SLACK_WEBHOOK_URL or WEBHOOK_URL."
                />
              }
            />
          )}
        </Answered>
      </Section>
      {dropped !== undefined && (
        <Section title="This replica" about="since its start">
          <Facts of={[['Alerts that reached nobody', count(dropped)]]} />
        </Section>
      )}
      <SettingsTable section="general_settings" wanted={ofAlerts} />
    </div>
  );
}
