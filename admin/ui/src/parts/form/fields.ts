// What forms are made of: tables of fields. A page says which fields a record has, under the server's names; how each
// kind is asked for is in Field.tsx, and what is sent in RecordForm.tsx.
import type { Body, Route } from '@/api/client';

export type Kind =
  | 'text'
  | 'password'
  | 'area'
  | 'count'
  | 'money'
  | 'price'
  | 'duration'
  | 'moment'
  | 'list'
  | 'models'
  | 'json'
  | 'switch'
  | 'choice'
  | 'team'
  | 'user'
  | 'organization'
  | 'credential'
  | 'tier'
  | 'guardrails';

export interface Choice {
  value: string;
  label: string;
}

export interface Field<N extends string = string> {
  name: N;
  label: string;
  kind: Kind;
  help?: string;
  placeholder?: string;
  choices?: readonly Choice[];
  required?: boolean;
  /** Asked for only when the record is made, or only when it is changed. */
  only?: 'new' | 'edit';
  /** Under "More". */
  more?: boolean;
  /** Where it stands in what the server tells, when not under its own name: `litellm_budget_table.max_budget`. */
  from?: string;
}

/** Fields whose names are those of a route's body. */
export type FieldsOf<R extends Route> = readonly Field<Extract<keyof NonNullable<Body<R>>, string>>[];

export type Values = Record<string, unknown>;

export const PERIODS: readonly Choice[] = [
  { value: '1h', label: 'each hour' },
  { value: '24h', label: 'each day' },
  { value: '7d', label: 'each week' },
  { value: '30d', label: 'each month' },
];

/** What limits keys, teams and users alike. */
export const BUDGET = [
  {
    name: 'max_budget',
    label: 'Budget',
    kind: 'money',
    help: 'What may be spent in a period. Empty: no limit.',
  },
  {
    name: 'budget_duration',
    label: 'Budget starts anew',
    kind: 'duration',
    placeholder: 'never',
    choices: PERIODS,
    help: 'Pick one, or type a time such as 12h or 90d.',
  },
] as const satisfies readonly Field[];

export const RATES = [
  { name: 'rpm_limit', label: 'Requests per minute', kind: 'count', more: true },
  { name: 'tpm_limit', label: 'Tokens per minute', kind: 'count', more: true },
] as const satisfies readonly Field[];

export const PARALLEL = {
  name: 'max_parallel_requests',
  label: 'Requests at once',
  kind: 'count',
  more: true,
} as const satisfies Field;

/** What single models may cost or take of it, beside what limits all of it. */
export const BY_MODEL = [
  {
    name: 'model_max_budget',
    label: 'Budgets of single models',
    kind: 'json',
    more: true,
    placeholder: '{"gpt-4o": {"budget_limit": 20, "time_period": "30d"}}',
  },
  {
    name: 'model_rpm_limit',
    label: 'Requests per minute of single models',
    kind: 'json',
    from: 'metadata.model_rpm_limit',
    more: true,
    placeholder: '{"gpt-4o": 60}',
  },
  {
    name: 'model_tpm_limit',
    label: 'Tokens per minute of single models',
    kind: 'json',
    from: 'metadata.model_tpm_limit',
    more: true,
    placeholder: '{"gpt-4o": 100000}',
  },
] as const satisfies readonly Field[];

/** Organisations and customers keep their limits in a budget of their own. */
export const inBudget = <F extends Field>(field: F): F => ({
  ...field,
  from: `litellm_budget_table.${field.name}`,
});

/** A budget with limits that many share. What is set beside it holds as well. */
export const TIER = {
  name: 'budget_id',
  label: 'Tier',
  kind: 'tier',
  more: true,
  help: 'Budget and limits under a name, from Settings.',
} as const satisfies Field;

export const GUARDRAILS = {
  name: 'guardrails',
  label: 'Guardrails',
  kind: 'guardrails',
  from: 'metadata.guardrails',
  more: true,
  help: 'For each of its requests, beside those that are for all.',
} as const satisfies Field;

export const METADATA = {
  name: 'metadata',
  label: 'Metadata',
  kind: 'json',
  more: true,
} as const satisfies Field;

/** What a record says of a field. */
export function read(record: object, field: Field): unknown {
  const path = (field.from ?? field.name).split('.');
  const found = path.reduce<unknown>((at, name) => (at as Values | null | undefined)?.[name], record);
  return found ?? undefined;
}

export function initial(fields: readonly Field[], record: object | undefined): Values {
  if (record === undefined) return {};
  return Object.fromEntries(fields.map((field) => [field.name, read(record, field)]));
}

const same = (one: unknown, other: unknown) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

const EMPTY: Partial<Record<Kind, unknown>> = {
  list: [],
  models: [],
  guardrails: [],
  json: {},
  switch: false,
};

/** What was changed; what was emptied becomes what the server takes for nothing. */
export function changed(fields: readonly Field[], before: Values, after: Values): Values {
  const differing = fields.filter((field) => !same(before[field.name], after[field.name]));
  return Object.fromEntries(
    differing.map((field) => [field.name, after[field.name] ?? EMPTY[field.kind] ?? null]),
  );
}
