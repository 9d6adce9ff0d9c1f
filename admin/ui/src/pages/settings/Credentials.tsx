import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Credential } from '@/api/answers';
import { asBody, useAnswer, useChange } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { Confirm } from '@/parts/Confirm';
import { actionsHeader } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import type { FieldsOf, Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { Icon } from '@/parts/Icon';
import css from '@/parts/parts.module.css';
import { RowActions } from '@/parts/RowActions';
import { Chips } from '@/parts/Status';

const FIELDS = [
  {
    name: 'credential_name',
    label: 'Name',
    kind: 'text',
    required: true,
    only: 'new',
    help: 'What deployments call it by.',
  },
  {
    name: 'credential_values',
    label: 'Values',
    kind: 'json',
    required: true,
    only: 'new',
    placeholder: '{"api_key": "…"}',
    help: 'Kept sealed, never told again.',
  },
  {
    name: 'credential_values',
    label: 'New values',
    kind: 'json',
    only: 'edit',
    placeholder: '{"api_key": "…"}',
    help: 'Those that are not named here stay as they are.',
  },
  { name: 'credential_info', label: 'Description', kind: 'json' },
] as const satisfies FieldsOf<'POST /credentials'>;

/** Keys of providers that several deployments share. */
export function Credentials() {
  const all = useAnswer('GET /credentials');
  const remove = useChange('DELETE /credentials/{name}');
  const [form, setForm] = useState<Credential | 'new' | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const columns: Column<Credential>[] = [
    { id: 'name', header: 'Name', accessorFn: (row) => row.credential_name },
    {
      id: 'values',
      header: 'Values',
      enableSorting: false,
      cell: ({ row }) => <Chips of={Object.keys(row.original.credential_values)} none="none" />,
    },
    {
      id: 'actions',
      header: actionsHeader,
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <RowActions
          name={original.credential_name}
          edit={() => setForm(original)}
          remove={() => setDeleting(original.credential_name)}
        />
      ),
      meta: { number: true },
    },
  ];
  return (
    <div className={css.form}>
      <div className={css.actions}>
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setForm('new')}>
          New credential
        </Button>
      </div>
      <Answered of={all}>
        {({ credentials }) => (
          <DataTable
            label="Credentials"
            columns={columns}
            rows={credentials}
            empty={
              <Empty
                title="No credentials"
                text="A key that several deployments share is kept once here, sealed, and named by them."
              />
            }
          />
        )}
      </Answered>
      {form !== null && (
        <CredentialForm of={form === 'new' ? undefined : form} onClose={() => setForm(null)} />
      )}
      {deleting !== null && (
        <Confirm
          title="Delete this credential?"
          name={deleting}
          action="Delete"
          run={() => remove.mutateAsync({ path: { name: deleting } })}
          onClose={() => setDeleting(null)}
        >
          Deployments that name it lose their key.
        </Confirm>
      )}
    </div>
  );
}

/** Values are told masked, so that an edit gives them anew; those it does not name stay. */
function CredentialForm({ of, onClose }: { of: Credential | undefined; onClose: () => void }) {
  const make = useChange('POST /credentials');
  const change = useChange('PATCH /credentials/{name}');
  const save = async (values: Values) => {
    if (of === undefined) await make.mutateAsync({ body: asBody({ credential_info: {}, ...values }) });
    else await change.mutateAsync({ path: { name: of.credential_name }, body: asBody(values) });
    onClose();
  };
  const title = of === undefined ? 'New credential' : `Edit ${of.credential_name}`;
  const record = of && { credential_info: of.credential_info };
  return <RecordForm title={title} fields={FIELDS} record={record} save={save} onClose={onClose} />;
}
