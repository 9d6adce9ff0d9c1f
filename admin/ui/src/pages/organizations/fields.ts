import { BUDGET, type Field, type FieldsOf, inBudget, METADATA, RATES } from '@/parts/form/fields';

export const FIELDS = [
  { name: 'organization_alias', label: 'Name', kind: 'text', required: true },
  { name: 'models', label: 'Models', kind: 'models', help: 'None picked: all.' },
  ...BUDGET.map(inBudget),
  ...RATES.map(inBudget),
  METADATA,
] as const satisfies FieldsOf<'POST /organization/new'>;

const ROLES = [
  { value: 'internal_user', label: 'User' },
  { value: 'internal_user_viewer', label: 'User, read only' },
  { value: 'org_admin', label: 'Organisation admin: makes teams and adds users' },
];

export const MEMBER: readonly Field[] = [
  { name: 'user_id', label: 'User', kind: 'user', required: true, only: 'new' },
  { name: 'role', label: 'Role', kind: 'choice', choices: ROLES, required: true },
];
