import { BUDGET, type FieldsOf, inBudget } from '@/parts/form/fields';

const REGIONS = [
  { value: 'eu', label: 'EU' },
  { value: 'us', label: 'US' },
];

export const FIELDS = [
  {
    name: 'user_id',
    label: 'Id',
    kind: 'text',
    required: true,
    only: 'new',
    help: 'What clients send as `user`.',
  },
  { name: 'alias', label: 'Name', kind: 'text' },
  ...BUDGET.map(inBudget),
  { name: 'default_model', label: 'Model when none is named', kind: 'text', more: true },
  { name: 'allowed_model_region', label: 'Only models in', kind: 'choice', choices: REGIONS, more: true },
] as const satisfies FieldsOf<'POST /customer/new'>;
