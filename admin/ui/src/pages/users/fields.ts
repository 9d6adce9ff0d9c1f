import { ROLES } from '@/api/rights';
import { BUDGET, type FieldsOf, METADATA, PARALLEL, RATES } from '@/parts/form/fields';

export const FIELDS = [
  { name: 'user_email', label: 'E-mail', kind: 'text' },
  { name: 'user_alias', label: 'Name', kind: 'text' },
  {
    name: 'user_role',
    label: 'Role',
    kind: 'choice',
    choices: ROLES.map(({ value, label, help }) => ({ value, label: `${label}: ${help.toLowerCase()}` })),
    required: true,
  },
  { name: 'models', label: 'Models', kind: 'models', help: 'None picked: all.' },
  ...BUDGET,
  ...RATES,
  PARALLEL,
  { name: 'user_id', label: 'Id', kind: 'text', only: 'new', more: true, help: 'Made up when left empty.' },
  METADATA,
] as const satisfies FieldsOf<'POST /user/new'>;
