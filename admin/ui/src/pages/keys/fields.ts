import {
  BUDGET,
  BY_MODEL,
  type FieldsOf,
  GUARDRAILS,
  METADATA,
  PARALLEL,
  RATES,
  TIER,
} from '@/parts/form/fields';

const LIFETIMES = [
  { value: '30d', label: '30 days' },
  { value: '90d', label: '90 days' },
  { value: '365d', label: 'one year' },
];

const TYPES = [
  { value: 'default', label: 'Models and own management' },
  { value: 'llm_api', label: 'Models only' },
  { value: 'management', label: 'Management only' },
  { value: 'read_only', label: 'Reading only' },
];

/** A key, in the form that makes and changes it. */
export const FIELDS = [
  { name: 'key_alias', label: 'Name', kind: 'text', help: 'What people call it. No two keys share one.' },
  {
    name: 'team_id',
    label: 'Team',
    kind: 'team',
    help: 'Its budget, limits and models hold for the key, too.',
  },
  { name: 'user_id', label: 'User', kind: 'user' },
  { name: 'models', label: 'Models', kind: 'models', help: 'None picked: all that team and user may use.' },
  ...BUDGET,
  { name: 'duration', label: 'Expires after', kind: 'duration', choices: LIFETIMES, placeholder: 'never' },
  { name: 'tags', label: 'Tags', kind: 'list', from: 'metadata.tags', help: 'Spend is told by tag, too.' },
  { name: 'key_type', label: 'May call', kind: 'choice', choices: TYPES, only: 'new', more: true },
  TIER,
  ...RATES,
  PARALLEL,
  {
    name: 'soft_budget',
    label: 'Soft budget',
    kind: 'money',
    more: true,
    help: 'Beyond it an alert is sent, and nothing refused.',
  },
  ...BY_MODEL,
  { name: 'organization_id', label: 'Organisation', kind: 'organization', more: true, only: 'new' },
  { name: 'auto_rotate', label: 'Rotate by itself', kind: 'switch', more: true },
  { name: 'rotation_interval', label: 'Rotated every', kind: 'text', placeholder: '90d', more: true },
  {
    name: 'allowed_routes',
    label: 'Allowed routes',
    kind: 'list',
    more: true,
    help: 'Paths, or groups such as llm_api_routes. None: all.',
  },
  GUARDRAILS,
  METADATA,
] as const satisfies FieldsOf<'POST /key/generate'>;

/** A larger budget for a while; the one says nothing without the other. */
export const INCREASE = [
  {
    name: 'temp_budget_increase',
    label: 'More budget for a while',
    kind: 'money',
    from: 'metadata.temp_budget_increase',
    more: true,
  },
  {
    name: 'temp_budget_expiry',
    label: 'Until',
    kind: 'moment',
    from: 'metadata.temp_budget_expiry',
    more: true,
  },
] as const satisfies FieldsOf<'POST /key/update'>;
