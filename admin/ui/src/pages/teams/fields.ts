import {
  BUDGET,
  type Field,
  type FieldsOf,
  GUARDRAILS,
  METADATA,
  PARALLEL,
  PERIODS,
  RATES,
} from '@/parts/form/fields';

export const FIELDS = [
  { name: 'team_alias', label: 'Name', kind: 'text', required: true },
  { name: 'organization_id', label: 'Organisation', kind: 'organization' },
  { name: 'models', label: 'Models', kind: 'models', help: 'None picked: all.' },
  ...BUDGET,
  { name: 'team_member_budget', label: 'Budget of each member', kind: 'money', more: true, only: 'new' },
  ...RATES,
  PARALLEL,
  { name: 'tags', label: 'Tags', kind: 'list', from: 'metadata.tags', more: true },
  { name: 'team_id', label: 'Id', kind: 'text', only: 'new', more: true, help: 'Made up when left empty.' },
  GUARDRAILS,
  METADATA,
] as const satisfies FieldsOf<'POST /team/new'>;

const ROLES = [
  { value: 'user', label: 'Member' },
  { value: 'admin', label: 'Team lead: adds members and keys' },
];

export const MEMBER: readonly Field[] = [
  { name: 'user_id', label: 'User', kind: 'user', required: true, only: 'new' },
  { name: 'role', label: 'Role', kind: 'choice', choices: ROLES, required: true },
  { name: 'max_budget_in_team', label: 'Budget in this team', kind: 'money' },
  {
    name: 'budget_duration',
    label: 'It starts anew',
    kind: 'duration',
    choices: PERIODS,
    placeholder: 'as the team’s',
    only: 'edit',
  },
];
