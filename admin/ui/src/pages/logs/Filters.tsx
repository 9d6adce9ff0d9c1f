import { Button, Select, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Failed } from '@/parts/Answered';
import { Field } from '@/parts/form/Field';
import type { Field as Description } from '@/parts/form/fields';
import css from '@/parts/parts.module.css';
import { resolved } from '../keys/resolve';

export const DEFAULTS = {
  page: '1',
  status: '',
  span: 'all',
  from: '',
  until: '',
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
export type FilterName = Exclude<keyof typeof DEFAULTS, 'page' | 'status' | 'span' | 'from' | 'until'>;

export const FIELDS: readonly Description<FilterName>[] = [
  { name: 'model', label: 'Model', kind: 'text' },
  { name: 'api_key', label: 'Key', kind: 'text', placeholder: 'Name, key or hash' },
  { name: 'team_id', label: 'Team', kind: 'team', placeholder: 'Any' },
  { name: 'user_id', label: 'User', kind: 'text', placeholder: 'Id' },
  { name: 'end_user', label: 'Customer', kind: 'text', placeholder: 'Id' },
  { name: 'session_id', label: 'Session', kind: 'text' },
  {
    name: 'request_id',
    label: 'Request',
    kind: 'text',
    placeholder: 'Id that the client or the provider knows',
  },
  { name: 'min_spend', label: 'Costs at least', kind: 'text', placeholder: '0.01' },
];

export const NAMES = FIELDS.map((field) => field.name);

export const SPANS = [
  { value: '15', label: 'Last 15 minutes' },
  { value: '60', label: 'Last hour' },
  { value: '1440', label: 'Last day' },
  { value: '10080', label: 'Last week' },
  { value: 'own', label: 'From … until …' },
  { value: 'all', label: 'All there is' },
];

const moment = (text: string) => (text === '' ? undefined : new Date(text).toISOString());

/** In words, where it is not all there is. */
export function spanLabel({
  span,
  from,
  until,
}: Pick<Params, 'span' | 'from' | 'until'>): string | undefined {
  if (span === 'own')
    return [from && `from ${shown(from)}`, until && `until ${shown(until)}`].filter(Boolean).join(' ');
  return SPANS.find(({ value }) => value === span && value !== 'all')?.label.toLowerCase();
}

const shown = (text: string) => text.replace('T', ' ');

/** As the server's parameters; spans in steps of a minute, so that the question stays the same between two polls. */
export function times({ span, from, until }: Pick<Params, 'span' | 'from' | 'until'>) {
  if (span === 'own') return { start_date: moment(from), end_date: moment(until) };
  const minutes = Number(span);
  if (!Number.isFinite(minutes)) return {};
  return { start_date: new Date(Math.floor(Date.now() / 60_000 - minutes) * 60_000).toISOString() };
}

export function Filters({ params, set }: { params: Params; set: (change: Partial<Params>) => void }) {
  const [values, setValues] = useState(params);
  const [error, setError] = useState<Error | null>(null);
  const change = (name: keyof Params, value: unknown) =>
    setValues((old) => ({ ...old, [name]: typeof value === 'string' ? value : '' }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { page: _, ...wanted } = values;
    resolved(values.api_key.trim()).then((api_key) => set({ ...wanted, api_key }), setError);
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <Select
        label="Time"
        data={SPANS}
        value={values.span}
        allowDeselect={false}
        onChange={(span) => change('span', span ?? 'all')}
      />
      {values.span === 'own' && (
        <>
          <Moment label="From" value={values.from} onChange={(from) => change('from', from)} />
          <Moment label="Until" value={values.until} onChange={(until) => change('until', until)} />
        </>
      )}
      {FIELDS.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={values[field.name]}
          onChange={(value) => change(field.name, value)}
        />
      ))}
      {error !== null && <Failed error={error} />}
      <div className={css.formEnd}>
        <Button variant="default" onClick={() => set({ ...DEFAULTS, status: params.status })}>
          Clear
        </Button>
        <Button type="submit">Filter</Button>
      </div>
    </form>
  );
}

interface MomentProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

function Moment({ label, value, onChange }: MomentProps) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
