import type { Right } from '@/api/rights';
import type { IconName } from '@/parts/Icon';

export interface Place {
  path: string;
  label: string;
  icon: IconName;
  /** Who has not this right does not see it. */
  right?: Right;
}

export const PLACES: { label: string; places: Place[] }[] = [
  {
    label: 'Overview',
    places: [
      { path: '/', label: 'Home', icon: 'home' },
      { path: '/usage', label: 'Usage', icon: 'chart' },
      { path: '/logs', label: 'Logs', icon: 'list', right: 'see logs' },
    ],
  },
  {
    label: 'Access',
    places: [
      { path: '/keys', label: 'Keys', icon: 'key' },
      { path: '/teams', label: 'Teams', icon: 'team' },
      { path: '/users', label: 'Users', icon: 'user', right: 'see users' },
      { path: '/organizations', label: 'Organisations', icon: 'building', right: 'see organizations' },
      { path: '/customers', label: 'Customers', icon: 'tag', right: 'customers' },
    ],
  },
  {
    label: 'Gateway',
    places: [
      { path: '/models', label: 'Models', icon: 'model' },
      { path: '/playground', label: 'Playground', icon: 'chat' },
      { path: '/settings', label: 'Settings', icon: 'settings' },
    ],
  },
];
