import { Button, Select, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import css from '@/parts/parts.module.css';

export const DEFAULTS = {
  page: '1',
  status: '',
  span: 'all',
  model: '',
  api_key: '',
  team_id: '',
  user_id: '',
  end_user: '',
  session_id: '',
  request_id: '',
  min_spend: '',
};

type Params = Record<keyof typeof DEFAULTS, string>;
export type FilterName = Exclude<keyof typeof DEFAULTS, 'page' | 'status' | 'span'>;

const FIELDS: { name: FilterName; label: string; placeholder?: string }[] = [
  { name: 'model', label: 'Model' },
  { name: 'api_key', label: 'Key', placeholder: 'Hash of the key' },
  { name: 'team_id', label: 'Team', placeholder: 'Id' },
  { name: 'user_id', label: 'User', placeholder: 'Id' },
  { name: 'end_user', label: 'Customer' },
  { name: 'session_id', label: 'Session' },
  { name: 'request_id', label: 'Request', placeholder: 'Id that the client or the provider knows' },
  { name: 'min_spend', label: 'Costs at least', placeholder: '0.01' },
];

export const NAMES = FIELDS.map((field) => field.name);

const SPANS = [
  { value: '15', label: 'Last 15 minutes' },
  { value: '60', label: 'Last hour' },
  { value: '1440', label: 'Last day' },
  { value: '10080', label: 'Last week' },
  { value: 'all', label: 'All there is' },
];

/** In steps of a minute, so that the question stays the same between two polls. */
export function spanStart(span: string): string | undefined {
  const minutes = Number(span);
  if (!Number.isFinite(minutes)) return undefined;
  return new Date(Math.floor(Date.now() / 60_000 - minutes) * 60_000).toISOString();
}

export function Filters({ params, set }: { params: Params; set: (change: Partial<Params>) => void }) {
  const [values, setValues] = useState(params);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { page: _, ...change } = values;
    set(change);
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <Select
        label="Time"
        data={SPANS}
        value={values.span}
        allowDeselect={false}
        onChange={(span) => setValues({ ...values, span: span ?? 'all' })}
      />
      {FIELDS.map(({ name, label, placeholder }) => (
        <TextInput
          key={name}
          label={label}
          placeholder={placeholder ?? ''}
          value={values[name]}
          onChange={(event) => setValues({ ...values, [name]: event.currentTarget.value.trim() })}
        />
      ))}
      <div className={css.formEnd}>
        <Button variant="default" onClick={() => set({ ...DEFAULTS, status: params.status })}>
          Clear
        </Button>
        <Button type="submit">Filter</Button>
      </div>
    </form>
  );
}
