import { Button, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { SettingField } from '@/api/answers';
import { asBody, useAnswer, useChange } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { Confirm } from '@/parts/Confirm';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import type { Field, Kind, Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { useParams } from '@/parts/params';
import css from '@/parts/parts.module.css';
import { SearchBox } from '@/parts/SearchBox';
import { Chip } from '@/parts/Status';

const SECTIONS = ['general_settings', 'litellm_settings', 'router_settings', 'weir_settings'];

const KINDS: Record<string, Kind> = {
  Boolean: 'switch',
  Integer: 'count',
  Float: 'text',
  String: 'text',
  List: 'json',
  Dictionary: 'json',
};

const isSet = (row: SettingField) => row.field_value !== null && row.field_value !== undefined;

/** The server tells what lies in the ledger, and not what the files say below it. */
function Source({ of }: { of: SettingField }) {
  return of.stored_in_db === true ? <Chip>ledger</Chip> : <span className={css.dim}>file or default</span>;
}

export function Configuration() {
  const [params, set] = useParams({ section: SECTIONS[0] ?? '', q: '' });
  const [editing, setEditing] = useState<SettingField | null>(null);
  const [resetting, setResetting] = useState<string | null>(null);
  const settings = useAnswer('GET /config/list', { query: { config_type: params.section } });
  const columns: Column<SettingField>[] = [
    {
      id: 'name',
      header: 'Setting',
      accessorFn: (row) => row.field_name,
      cell: ({ row: { original } }) => (
        <>
          <code className={css.code}>{original.field_name}</code>
          <div className={css.dim}>{original.field_description}</div>
        </>
      ),
      meta: { wide: true },
    },
    {
      id: 'value',
      header: 'Value',
      enableSorting: false,
      cell: ({ row: { original } }) =>
        isSet(original) ? <code className={css.code}>{JSON.stringify(original.field_value)}</code> : '–',
    },
    {
      id: 'source',
      header: 'Set in',
      accessorFn: (row) => [row.stored_in_db !== true, !isSet(row)].join(),
      cell: ({ row }) => <Source of={row.original} />,
    },
    { id: 'type', header: 'Kind', accessorFn: (row) => row.field_type, meta: { minor: true } },
    {
      id: 'edit',
      header: () => null,
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <>
          {original.stored_in_db === true && (
            <Button
              variant="subtle"
              color="gray"
              size="compact-xs"
              aria-label={`Reset ${original.field_name}`}
              onClick={() => setResetting(original.field_name)}
            >
              Reset
            </Button>
          )}
          <Button
            variant="default"
            size="compact-xs"
            aria-label={`Change ${original.field_name}`}
            onClick={() => setEditing(original)}
          >
            Change
          </Button>
        </>
      ),
      meta: { number: true },
    },
  ];
  const found = (row: SettingField) =>
    `${row.field_name} ${row.field_description}`.toLowerCase().includes(params.q.toLowerCase());
  return (
    <div className={css.form}>
      <div className={css.filters}>
        <SegmentedControl
          aria-label="Section"
          data={SECTIONS.map((value) => ({ value, label: value.replace('_settings', '') }))}
          value={params.section}
          onChange={(section) => set({ section })}
        />
        <SearchBox label="Find a setting" value={params.q} onChange={(q) => set({ q })} />
      </div>
      <Answered of={settings} lines={10}>
        {(rows) => (
          <DataTable
            label={params.section}
            columns={columns}
            rows={rows.filter(found).sort((one, other) => Number(isSet(other)) - Number(isSet(one)))}
            empty={<Empty title="No setting by this name" />}
          />
        )}
      </Answered>
      {editing !== null && <Change section={params.section} of={editing} onClose={() => setEditing(null)} />}
      {resetting !== null && (
        <Reset section={params.section} name={resetting} onClose={() => setResetting(null)} />
      )}
    </div>
  );
}

interface ChangeProps {
  section: string;
  of: SettingField;
  onClose: () => void;
}

function Change({ section, of, onClose }: ChangeProps) {
  const update = useChange('POST /config/field/update');
  const help = [of.field_description, 'Kept in the ledger, over what the file says.'];
  const field: Field = {
    name: 'value',
    label: of.field_name,
    kind: KINDS[of.field_type] ?? 'json',
    help: help.filter(Boolean).join(' '),
  };
  const save = async ({ value }: Values) => {
    const field_value = of.field_type === 'Float' ? Number(value) : value;
    await update.mutateAsync({
      body: asBody({ config_type: section, field_name: of.field_name, field_value }),
    });
    onClose();
  };
  return (
    <RecordForm
      title={`Change ${of.field_name}`}
      fields={[field]}
      record={{ value: of.field_value }}
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
