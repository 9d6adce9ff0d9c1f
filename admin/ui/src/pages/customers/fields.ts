import { BUDGET, type FieldsOf, inBudget, RATES, TIER } from '@/parts/form/fields';

const REGIONS = [
  { value: 'eu', label: 'EU' },
  { value: 'us', label: 'US' },
];

const NAMED = [
  {
    name: 'user_id',
    label: 'Id',
    kind: 'text',
    required: true,
    only: 'new',
    help: 'What clients send as `user`.',
  },
  { name: 'alias', label: 'Name', kind: 'text' },
] as const satisfies FieldsOf<'POST /customer/new'>;

const MORE = [
  { name: 'default_model', label: 'Model when none is named', kind: 'text', more: true },
  { name: 'allowed_model_region', label: 'Only models in', kind: 'choice', choices: REGIONS, more: true },
] as const satisfies FieldsOf<'POST /customer/new'>;

/** With limits of its own, or to be put into a tier. */
export const FIELDS = [
  ...NAMED,
  ...BUDGET.map(inBudget),
  TIER,
  ...RATES.map(inBudget),
  ...MORE,
] as const satisfies FieldsOf<'POST /customer/new'>;

/** In a tier: its limits are those of all who are in it, and are changed with it. */
export const IN_TIER = [
  ...NAMED,
  { ...TIER, more: false, required: true },
  ...MORE,
] as const satisfies FieldsOf<'POST /customer/new'>;
