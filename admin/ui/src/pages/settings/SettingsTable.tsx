import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { SettingField } from '@/api/answers';
import { asBody, useAnswer, useChange } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { Confirm } from '@/parts/Confirm';
import { actionsHeader } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import type { Field, Kind, Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import css from '@/parts/parts.module.css';
import { Chip } from '@/parts/Status';
import { Source } from './Source';

const KINDS: Record<string, Kind> = {
  Boolean: 'switch',
  Integer: 'count',
  Float: 'text',
  String: 'text',
  List: 'json',
  Dictionary: 'json',
};

/** What somebody has to look at comes first, then what somebody has set. */
const rank = ({ drift, source }: SettingField) => (drift !== null ? 0 : source.from === 'default' ? 2 : 1);

const MASK = '***';

/** Whether something in it is not shown: what is shown must not be sent back. */
const isMasked = (value: unknown) => JSON.stringify(value ?? null).includes(MASK);

function Told({ value, dim = false }: { value: unknown; dim?: boolean }) {
  if (value === null || value === undefined) return '–';
  return <code className={dim ? `${css.code} ${css.dim}` : css.code}>{JSON.stringify(value)}</code>;
}

interface Doing {
  change: (row: SettingField) => void;
  reset: (name: string) => void;
}

function columnsFor({ change, reset }: Doing): Column<SettingField>[] {
  return [
    {
      id: 'name',
      header: 'Setting',
      accessorFn: (row) => row.field_name,
      cell: ({ row: { original } }) => (
        <>
          <code className={css.code}>{original.field_name}</code> {!original.used && <Chip>no effect</Chip>}
          <div className={css.dim}>{original.field_description}</div>
        </>
      ),
      meta: { wide: true },
    },
    {
      id: 'value',
      header: 'Value',
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <Told value={original.field_value} dim={original.source.from === 'default'} />
      ),
      meta: { cut: true },
    },
    {
      id: 'default',
      header: 'Default',
      enableSorting: false,
      cell: ({ row }) => <Told value={row.original.field_default_value} dim />,
      meta: { minor: true },
    },
    {
      id: 'source',
      header: 'Set in',
      accessorFn: (row) => `${rank(row)} ${row.source.from}`,
      cell: ({ row }) => <Source of={row.original} />,
      meta: { minor: true },
    },
    { id: 'type', header: 'Kind', accessorFn: (row) => row.field_type, meta: { minor: true } },
    {
      id: 'edit',
      header: actionsHeader,
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <>
          {original.stored_in_db === true && (
            <Button
              variant="subtle"
              color="gray"
              size="compact-xs"
              aria-label={`Reset ${original.field_name}`}
              onClick={() => reset(original.field_name)}
            >
              Reset
            </Button>
          )}
          {original.editable && (
            <Button
              variant="default"
              size="compact-xs"
              aria-label={`Change ${original.field_name}`}
              onClick={() => change(original)}
            >
              Change
            </Button>
          )}
        </>
      ),
      meta: { number: true },
    },
  ];
}

interface Props {
  section: string;
  /** Which of the section. */
  wanted: (row: SettingField) => boolean;
  /** What to do where none of them is wanted. */
  elsewhere?: ReactNode;
}

/** Settings of a section as they are in force, with where they are set. */
export function SettingsTable({ section, wanted, elsewhere }: Props) {
  const [editing, setEditing] = useState<SettingField | null>(null);
  const [resetting, setResetting] = useState<string | null>(null);
  const settings = useAnswer('GET /config/list', { query: { config_type: section } });
  const columns = columnsFor({ change: setEditing, reset: setResetting });
  return (
    <>
      <Answered of={settings} lines={10}>
        {(rows) => (
          <DataTable
            label={section}
            columns={columns}
            rows={rows.filter(wanted).sort((one, other) => rank(one) - rank(other))}
            empty={<Empty title="No setting by this name">{elsewhere}</Empty>}
          />
        )}
      </Answered>
      {editing !== null && <Change section={section} of={editing} onClose={() => setEditing(null)} />}
      {resetting !== null && <Reset section={section} name={resetting} onClose={() => setResetting(null)} />}
    </>
  );
}

interface ChangeProps {
  section: string;
  of: SettingField;
  onClose: () => void;
}

function Change({ section, of, onClose }: ChangeProps) {
  const update = useChange('POST /config/field/update');
  const masked = of.secret || isMasked(of.field_value);
  const help = [
    of.field_description,
    'Kept in the ledger, over what the file says.',
    masked && 'What is secret in it is not shown: write the whole value anew.',
  ];
  const kind = KINDS[of.field_type] ?? 'json';
  const field: Field = {
    name: 'value',
    label: of.field_name,
    kind: of.secret && kind === 'text' ? 'password' : kind,
    help: help.filter(Boolean).join(' '),
  };
  const save = async ({ value }: Values) => {
    // Times may have a unit, such as 500ms.
    const isNumber = of.field_type === 'Float' && Number.isFinite(Number(value));
    const field_value = isNumber ? Number(value) : value;
    await update.mutateAsync({
      body: asBody({ config_type: section, field_name: of.field_name, field_value }),
    });
    onClose();
  };
  return (
    <RecordForm
      title={`Change ${of.field_name}`}
      fields={[field]}
      record={{ value: masked ? undefined : of.field_value }}
      save={save}
      onClose={onClose}
    />
  );
}

function Reset({ section, name, onClose }: { section: string; name: string; onClose: () => void }) {
  const remove = useChange('POST /config/field/delete');
  return (
    <Confirm
      title={`Reset ${name}?`}
      action="Reset"
      run={() => remove.mutateAsync({ body: { config_type: section, field_name: name } })}
      onClose={onClose}
    >
      It goes from the ledger; what the file says holds again, or the default.
    </Confirm>
  );
}
