import {
  Autocomplete,
  JsonInput,
  MultiSelect,
  NumberInput,
  PasswordInput,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useState } from 'react';
import type { Field as Description } from './fields';
import {
  CredentialField,
  GuardrailsField,
  ModelsField,
  OrganizationField,
  TeamField,
  TierField,
  UserField,
} from './lookups';

export interface Props {
  field: Description;
  value: unknown;
  onChange: (value: unknown) => void;
}

const words = ({ field }: Props) => ({
  label: field.label,
  description: field.help,
  placeholder: field.placeholder,
  required: field.required ?? false,
});

const emptied = (text: string | number) => (text === '' ? undefined : text);
const asText = (value: unknown) => (value === undefined || value === null ? '' : String(value));
const asNumber = (value: unknown) => (typeof value === 'number' ? value : '');
const asList = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);

/** One input for each kind of field. */
export function Field(props: Props) {
  const { field, value, onChange } = props;
  const text = {
    ...words(props),
    value: asText(value),
    onChange: (event: { currentTarget: { value: string } }) => onChange(emptied(event.currentTarget.value)),
  };
  const number = {
    ...words(props),
    value: asNumber(value),
    min: 0,
    onChange: (next: string | number) => onChange(emptied(next)),
  };
  switch (field.kind) {
    case 'text':
      return <TextInput {...text} autoComplete="off" />;
    case 'password':
      return <PasswordInput {...text} autoComplete="new-password" />;
    case 'area':
      return <Textarea {...text} />;
    case 'count':
      return <NumberInput {...number} allowDecimal={false} thousandSeparator />;
    case 'money':
      return <NumberInput {...number} prefix="$" thousandSeparator decimalScale={9} />;
    case 'price':
      return <Price {...props} />;
    case 'duration':
      return <Duration {...props} />;
    case 'moment':
      return <Moment {...props} />;
    case 'list':
      return <TagsInput {...words(props)} value={asList(value)} onChange={onChange} clearable />;
    case 'switch':
      return (
        <Switch
          label={field.label}
          description={field.help}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'choice':
      return <Choice {...props} />;
    case 'json':
      return <Structured {...props} />;
    case 'models':
      return <ModelsField {...props} />;
    case 'team':
      return <TeamField {...props} />;
    case 'user':
      return <UserField {...props} />;
    case 'organization':
      return <OrganizationField {...props} />;
    case 'credential':
      return <CredentialField {...props} />;
    case 'tier':
      return <TierField {...props} />;
    case 'guardrails':
      return <GuardrailsField {...props} />;
  }
}

const MILLION = 1_000_000;
/** Divided in binary a price gets digits that nobody wrote. */
const round = (price: number) => Number(price.toPrecision(12));

/** Asked for by the million, as price lists tell it; kept for one. */
function Price(props: Props) {
  const { value, onChange } = props;
  return (
    <NumberInput
      {...words(props)}
      prefix="$"
      min={0}
      decimalScale={9}
      thousandSeparator
      value={typeof value === 'number' ? round(value * MILLION) : ''}
      onChange={(next) => onChange(next === '' ? undefined : round(Number(next) / MILLION))}
    />
  );
}

function Choice(props: Props) {
  const { field, value, onChange } = props;
  return (
    <Select
      {...words(props)}
      data={[...(field.choices ?? [])]}
      value={value === undefined ? null : String(value)}
      onChange={(next) => onChange(next ?? undefined)}
      allowDeselect={field.required !== true}
      clearable={field.required !== true}
    />
  );
}

/** The usual ones by name, any other as text. */
function Duration(props: Props) {
  const { field, value, onChange } = props;
  const choices = field.choices ?? [];
  const label = choices.find((choice) => choice.value === value)?.label ?? asText(value);
  const toValue = (text: string) => choices.find((choice) => choice.label === text)?.value ?? text;
  return (
    <Autocomplete
      {...words(props)}
      data={choices.map((choice) => choice.label)}
      value={label}
      onChange={(text) => onChange(emptied(toValue(text)))}
    />
  );
}

const twoDigits = (part: number) => String(part).padStart(2, '0');

/** A moment of the server as the browser's clock tells it, to the minute. */
function local(value: unknown): string {
  const at = new Date(String(value));
  if (typeof value !== 'string' || Number.isNaN(at.getTime())) return '';
  const [month, day] = [at.getMonth() + 1, at.getDate()].map(twoDigits);
  const [hours, minutes] = [at.getHours(), at.getMinutes()].map(twoDigits);
  return `${at.getFullYear()}-${month}-${day}T${hours}:${minutes}`;
}

function Moment(props: Props) {
  const { value, onChange } = props;
  return (
    <TextInput
      {...words(props)}
      type="datetime-local"
      value={local(value)}
      onChange={({ currentTarget: { value: text } }) =>
        onChange(text === '' ? undefined : new Date(text).toISOString())
      }
    />
  );
}

/** Text while it is being typed; told on only when it is JSON. */
function Structured(props: Props) {
  const { value, onChange } = props;
  const isEmpty = value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
  const [text, setText] = useState(isEmpty ? '' : JSON.stringify(value, null, 2));
  return (
    <JsonInput
      {...words(props)}
      validationError="This is not JSON yet"
      value={text}
      onChange={(next) => {
        setText(next);
        if (next.trim() === '') onChange(undefined);
        else if (isJson(next)) onChange(JSON.parse(next));
      }}
    />
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function Choices({ label, data, value, onChange, help }: ChoicesProps) {
  return (
    <MultiSelect
      label={label}
      description={help}
      data={data}
      value={value}
      onChange={onChange}
      searchable
      clearable
      hidePickedOptions
      maxDropdownHeight={260}
      limit={100}
    />
  );
}

interface ChoicesProps {
  label: string;
  help: string | undefined;
  data: string[];
  value: string[];
  onChange: (value: string[]) => void;
}
