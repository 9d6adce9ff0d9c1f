import { ActionIcon, Button } from '@mantine/core';
import { useState } from 'react';
import type { Credential } from '@/api/answers';
import { asBody, useAnswer, useChange } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { Confirm } from '@/parts/Confirm';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import type { FieldsOf, Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { Icon } from '@/parts/Icon';
import css from '@/parts/parts.module.css';
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
    placeholder: '{"api_key": "…"}',
    help: 'Kept sealed; told masked.',
  },
  { name: 'credential_info', label: 'Description', kind: 'json' },
] as const satisfies FieldsOf<'POST /credentials'>;

/** Keys of providers that several deployments share. */
export function Credentials() {
  const all = useAnswer('GET /credentials');
  const make = useChange('POST /credentials');
  const remove = useChange('DELETE /credentials/{name}');
  const [making, setMaking] = useState(false);
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
      id: 'delete',
      header: () => null,
      enableSorting: false,
      cell: ({ row }) => (
        <ActionIcon
          aria-label={`Delete ${row.original.credential_name}`}
          onClick={() => setDeleting(row.original.credential_name)}
        >
          <Icon name="close" />
        </ActionIcon>
      ),
      meta: { number: true },
    },
  ];
  const save = async (values: Values) => {
    await make.mutateAsync({ body: asBody({ credential_info: {}, ...values }) });
    setMaking(false);
  };
  return (
    <div className={css.form}>
      <div className={css.actions}>
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>
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
      {making && (
        <RecordForm title="New credential" fields={FIELDS} save={save} onClose={() => setMaking(false)} />
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
