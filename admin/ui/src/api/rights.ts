// Which role sees what. The server's tables (the grants in admin/src) decide; these follow them, so that nobody is
// offered what would be refused.
import type { Role } from './answers';

const ADMIN: Role[] = ['proxy_admin'];
const VIEW: Role[] = [...ADMIN, 'proxy_admin_viewer'];
const ORG: Role[] = [...ADMIN, 'org_admin'];
const VIEW_ORG: Role[] = [...VIEW, 'org_admin'];
const OWN_KEYS: Role[] = [...ORG, 'internal_user'];

const RIGHTS = {
  'see all': VIEW,
  'change keys': OWN_KEYS,
  'change teams': ORG,
  'see users': VIEW_ORG,
  'change users': ORG,
  invite: ADMIN,
  'see organizations': VIEW_ORG,
  'add organizations': ADMIN,
  'change organizations': ADMIN,
  'change organization members': ORG,
  customers: ADMIN,
  'see health': VIEW,
  'change models': ADMIN,
  'see all logs': VIEW,
  'see logs': [...OWN_KEYS, 'proxy_admin_viewer', 'internal_user_viewer'],
  'see usage of organizations': VIEW_ORG,
  'see usage of customers': ADMIN,
  reports: [...VIEW, 'internal_user_viewer'],
  settings: ADMIN,
} satisfies Record<string, Role[]>;

export type Right = keyof typeof RIGHTS;

export function may(role: Role, right: Right): boolean {
  return (RIGHTS[right] as Role[]).includes(role);
}

export const ROLES: { value: Role; label: string; help: string }[] = [
  { value: 'proxy_admin', label: 'Admin', help: 'May do everything' },
  { value: 'proxy_admin_viewer', label: 'Admin, read only', help: 'Sees everything, changes nothing' },
  { value: 'internal_user', label: 'User', help: 'Makes and changes own keys, sees own spend' },
  { value: 'internal_user_viewer', label: 'User, read only', help: 'Sees own keys and own spend' },
];

/** Whoever signs in with the master key is this user to the server. */
const MASTER = 'default_user_id';

export const userLabel = (id: string) => (id === MASTER ? 'Master key' : id);

export function roleLabel(role: string | null): string {
  if (role === null) return 'No role';
  return (
    ROLES.find((row) => row.value === role)?.label ?? (role === 'org_admin' ? 'Organisation admin' : role)
  );
}
