import { Tabs } from '@mantine/core';
import type { ComponentType } from 'react';
import { useMay } from '@/api/session';
import { Page } from '@/parts/Page';
import { useParams } from '@/parts/params';
import { About } from './About';
import { Alerts } from './Alerts';
import { Audit } from './Audit';
import { Cache } from './Cache';
import { Callbacks } from './Callbacks';
import { Configuration } from './Configuration';
import { Credentials } from './Credentials';
import { Guardrails } from './Guardrails';
import { Prices } from './Prices';
import { SignOn } from './SignOn';
import { Tiers } from './Tiers';

const TABS: { value: string; label: string; of: ComponentType; admins: boolean }[] = [
  { value: 'configuration', label: 'Configuration', of: Configuration, admins: true },
  { value: 'callbacks', label: 'Callbacks', of: Callbacks, admins: true },
  { value: 'alerts', label: 'Alerts', of: Alerts, admins: true },
  { value: 'guardrails', label: 'Guardrails', of: Guardrails, admins: true },
  { value: 'cache', label: 'Cache', of: Cache, admins: true },
  { value: 'prices', label: 'Prices', of: Prices, admins: true },
  { value: 'tiers', label: 'Tiers', of: Tiers, admins: true },
  { value: 'credentials', label: 'Credentials', of: Credentials, admins: true },
  { value: 'sign-on', label: 'Sign-on', of: SignOn, admins: true },
  { value: 'audit', label: 'Audit log', of: Audit, admins: true },
  { value: 'about', label: 'About', of: About, admins: false },
];

/** What the tabs keep in the address: another one begins anew. */
const NAMES = ['section', 'page', 'q', 'table', 'action', 'object', 'who', 'from', 'to'];
const NOTHING = Object.fromEntries(NAMES.map((name) => [name, undefined]));

export default function Settings() {
  const admin = useMay('settings');
  const tabs = TABS.filter((tab) => admin || !tab.admins);
  const [{ tab }, set] = useParams({ tab: tabs[0]?.value ?? '' });
  return (
    <Page title="Settings">
      <Tabs value={tab} keepMounted={false} onChange={(next) => set({ ...NOTHING, tab: next ?? '' })}>
        <Tabs.List mb="md">
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ value, of: Content }) => (
          <Tabs.Panel key={value} value={value}>
            <Content />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
