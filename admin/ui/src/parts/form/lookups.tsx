// Fields that name other records: what is typed is looked up at the server.
import { Select, TagsInput, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { Choices, type Props } from './Field';
import type { Choice } from './fields';

export function useModelNames(): string[] {
  const models = useAnswer('GET /v1/models');
  return [...new Set((models.data?.data ?? []).map((model) => model.id))];
}

export function ModelsField({ field, value, onChange }: Props) {
  const picked = Array.isArray(value) ? value.map(String) : [];
  const names = useModelNames();
  const data = [...new Set([...names, ...picked])];
  return <Choices label={field.label} help={field.help} data={data} value={picked} onChange={onChange} />;
}

/** The id that is set is among the choices, even when the search does not find it. */
function Lookup({
  field,
  value,
  onChange,
  choices,
  onSearch,
}: Props & { choices: Choice[]; onSearch?: (text: string) => void }) {
  const id = typeof value === 'string' && value !== '' ? value : null;
  const known = id === null || choices.some((choice) => choice.value === id);
  const data = known ? choices : [{ value: id, label: id }, ...choices];
  const search = onSearch === undefined ? {} : { onSearchChange: onSearch };
  return (
    <Select
      label={field.label}
      description={field.help}
      placeholder={field.placeholder ?? 'None'}
      required={field.required ?? false}
      data={data}
      value={id}
      onChange={(next) => onChange(next ?? undefined)}
      searchable
      clearable
      nothingFoundMessage="Nothing by this name"
      {...search}
    />
  );
}

const named = (name: string | null | undefined, id: string): Choice => ({
  value: id,
  label: name && name !== id ? `${name} (${id.slice(0, 8)})` : id,
});

/** What is typed, without the id behind the name of what was chosen. */
function useSearch() {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.replace(/ \(.*\)$/, ''), 250);
  return [search, setText] as const;
}

export function TeamField(props: Props) {
  const [search, setText] = useSearch();
  const teams = useAnswer('GET /v2/team/list', { query: { team_alias: search, page_size: 50 } });
  const choices = (teams.data?.teams ?? []).map((team) => named(team.team_alias, team.team_id));
  return <Lookup {...props} choices={choices} onSearch={setText} />;
}

/** Whoever may not see who there is types it: a team lead adds members, too. */
export function UserField(props: Props) {
  return useMay('see users') ? <FoundUser {...props} /> : <TypedUser {...props} />;
}

function TypedUser({ field, value, onChange }: Props) {
  return (
    <TextInput
      label={field.label}
      description={field.help}
      placeholder="Id or e-mail address"
      autoComplete="off"
      required={field.required ?? false}
      value={typeof value === 'string' ? value : ''}
      onChange={({ currentTarget: { value: text } }) => onChange(text.trim() || undefined)}
    />
  );
}

function FoundUser(props: Props) {
  const [search, setText] = useSearch();
  const users = useAnswer('GET /user/list', { query: { search, page_size: 100 } });
  const choices = (users.data?.users ?? []).map((user) =>
    named(user.user_email ?? user.user_alias, user.user_id),
  );
  return <Lookup {...props} choices={choices} onSearch={setText} />;
}

export function OrganizationField(props: Props) {
  const [search, setText] = useSearch();
  const found = useAnswer('GET /organization/list', { query: { search, page: 1, size: 50 } });
  const choices = (found.data?.organizations ?? []).map((row) =>
    named(row.organization_alias, row.organization_id),
  );
  return <Lookup {...props} choices={choices} onSearch={setText} />;
}

export function CredentialField(props: Props) {
  const all = useAnswer('GET /credentials');
  const choices = (all.data?.credentials ?? []).map(({ credential_name: name }) => named(name, name));
  return <Lookup {...props} choices={choices} />;
}

/** Budgets that were made for one holder alone have a made-up id. */
export const isTier = (id: string) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

/** For those who may see them; others keep what is set. */
export function TierField(props: Props) {
  const allowed = useMay('settings');
  const all = useAnswer('GET /budget/list', {}, { enabled: allowed });
  const tiers = (all.data ?? []).filter(({ budget_id: id }) => isTier(id));
  if (!allowed) return null;
  const value = typeof props.value === 'string' && isTier(props.value) ? props.value : undefined;
  return <Lookup {...props} value={value} choices={tiers.map(({ budget_id: id }) => named(id, id))} />;
}

/** By name; those who may not see which there are type it. */
export function GuardrailsField(props: Props) {
  const { field, value, onChange } = props;
  const all = useAnswer('GET /v2/guardrails/list', {}, { enabled: useMay('settings') });
  return (
    <TagsInput
      label={field.label}
      description={field.help}
      data={(all.data?.guardrails ?? []).map((row) => row.guardrail_name)}
      value={Array.isArray(value) ? value.map(String) : []}
      onChange={onChange}
      clearable
    />
  );
}
