import { Button, Select, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Guardrail } from '@/api/answers';
import { useAnswer, useChange } from '@/api/hooks';
import { Answered, Failed } from '@/parts/Answered';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Chips, Status } from '@/parts/Status';

const modes = ({ litellm_params: { mode } }: Guardrail) =>
  (Array.isArray(mode) ? mode : [mode]).filter((name) => name !== undefined);

/** Their kind, mode and default have columns of their own. */
const TOLD = ['guardrail', 'mode', 'default_on'];

const COLUMNS: Column<Guardrail>[] = [
  { id: 'name', header: 'Name', accessorFn: (row) => row.guardrail_name },
  { id: 'kind', header: 'Kind', accessorFn: (row) => row.litellm_params.guardrail ?? '' },
  {
    id: 'mode',
    header: 'When',
    enableSorting: false,
    cell: ({ row }) => <Chips of={modes(row.original).map((name) => name.replaceAll('_', ' '))} none="–" />,
  },
  {
    id: 'default',
    header: 'For',
    accessorFn: (row) => row.litellm_params.default_on === true,
    cell: ({ row: { original } }) =>
      original.litellm_params.default_on ? 'every request' : 'requests, keys and teams that name it',
  },
  {
    id: 'settings',
    header: 'Settings',
    enableSorting: false,
    cell: ({ row: { original } }) => (
      <Chips of={Object.keys(original.litellm_params).filter((name) => !TOLD.includes(name))} none="none" />
    ),
    meta: { minor: true },
  },
];

/** What looks at requests and answers, and may change or refuse them. */
export function Guardrails() {
  const all = useAnswer('GET /v2/guardrails/list');
  return (
    <Answered of={all}>
      {({ guardrails }) => (
        <div className={css.form}>
          <DataTable
            label="Guardrails"
            columns={COLUMNS}
            rows={guardrails}
            empty={
              <Empty
                title="No guardrails"
                text="They stand in the configuration file, under guardrails: what to look for, and when."
              />
            }
          />
          {guardrails.length > 0 && <Try names={guardrails.map((row) => row.guardrail_name)} />}
        </div>
      )}
    </Answered>
  );
}

/** What one of them makes of a text. */
function Try({ names }: { names: string[] }) {
  const apply = useChange('POST /guardrails/apply_guardrail');
  const [name, setName] = useState(names[0] ?? '');
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    apply.mutate({ body: { guardrail_name: name, text } });
  };
  return (
    <Section title="Try one" about="as the text of a request">
      <form className={css.form} onSubmit={submit}>
        <Select
          label="Guardrail"
          data={names}
          value={name}
          allowDeselect={false}
          onChange={(next) => setName(next ?? '')}
        />
        <Textarea
          label="Text"
          required
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <div>
          <Button type="submit" variant="default" loading={apply.isPending}>
            Apply
          </Button>
        </div>
        {apply.isError && <Failed error={apply.error} />}
        {apply.data !== undefined && <Result before={text} after={apply.data.response_text} />}
      </form>
    </Section>
  );
}

function Result({ before, after }: { before: string; after: string }) {
  const same = before === after;
  return (
    <div role="status">
      <Status tone={same ? 'good' : 'warn'}>{same ? 'It goes on as it is' : 'It goes on changed'}</Status>
      {!same && <pre className={css.pre}>{after}</pre>}
    </div>
  );
}
