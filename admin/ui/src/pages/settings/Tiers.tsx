import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Budget } from '@/api/answers';
import { asBody, useAnswer, useChange } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { Confirm } from '@/parts/Confirm';
import { actionsHeader } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { BUDGET, type Field, PARALLEL, RATES, type Values } from '@/parts/form/fields';
import { isTier } from '@/parts/form/lookups';
import { RecordForm } from '@/parts/form/RecordForm';
import { count, money } from '@/parts/format';
import { Icon } from '@/parts/Icon';
import css from '@/parts/parts.module.css';
import { RowActions } from '@/parts/RowActions';

const plain = <F extends Field>({ more: _, ...field }: F) => field;

const FIELDS: readonly Field[] = [
  {
    name: 'budget_id',
    label: 'Name',
    kind: 'text',
    required: true,
    only: 'new',
    help: 'Keys, customers and members name it as budget_id.',
  },
  ...BUDGET,
  { name: 'soft_budget', label: 'Soft budget', kind: 'money', help: 'Beyond it an alert is sent.' },
  ...RATES.map(plain),
  plain(PARALLEL),
];

/** Organisations and customers with limits of their own have budgets without a name, which are changed with them. */
const named = ({ budget_id }: Budget) => isTier(budget_id);

const most = (limit: number | null | undefined) => (limit ? count(limit) : '–');

function limit(id: keyof Budget, header: string, minor = false): Column<Budget> {
  const read = (row: Budget) => row[id] as number | null | undefined;
  return {
    id,
    header,
    accessorFn: (row) => read(row) ?? 0,
    cell: ({ row }) => most(read(row.original)),
    meta: { number: true, minor },
  };
}

const COLUMNS: Column<Budget>[] = [
  { id: 'id', header: 'Name', accessorFn: (row) => row.budget_id },
  {
    id: 'max_budget',
    header: 'Budget',
    accessorFn: (row) => row.max_budget ?? 0,
    cell: ({ row: { original } }) => (original.max_budget === null ? '–' : money(original.max_budget)),
    meta: { number: true },
  },
  { id: 'duration', header: 'Every', accessorFn: (row) => row.budget_duration ?? '–' },
  limit('rpm_limit', 'Requests a minute'),
  limit('tpm_limit', 'Tokens a minute'),
  limit('max_parallel_requests', 'At once', true),
];

/** Budgets and limits with a name, which many share. */
export function Tiers() {
  const all = useAnswer('GET /budget/list');
  const [form, setForm] = useState<Budget | 'new' | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const actions: Column<Budget> = {
    id: 'actions',
    header: actionsHeader,
    enableSorting: false,
    cell: ({ row: { original } }) => (
      <RowActions
        name={original.budget_id}
        edit={() => setForm(original)}
        remove={() => setDeleting(original.budget_id)}
      />
    ),
    meta: { number: true },
  };
  return (
    <div className={css.form}>
      <div className={css.actions}>
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setForm('new')}>
          New tier
        </Button>
      </div>
      <Answered of={all}>
        {(rows) => (
          <DataTable
            label="Tiers"
            columns={[...COLUMNS, actions]}
            rows={rows.filter(named)}
            empty={
              <Empty
                title="No tiers"
                text="A tier is a budget with limits and a name: change it once, and it holds for all who are in it."
              />
            }
          />
        )}
      </Answered>
      {form !== null && <TierForm of={form === 'new' ? undefined : form} onClose={() => setForm(null)} />}
      {deleting !== null && <DeleteTier id={deleting} onClose={() => setDeleting(null)} />}
    </div>
  );
}

function TierForm({ of, onClose }: { of: Budget | undefined; onClose: () => void }) {
  const make = useChange('POST /budget/new');
  const change = useChange('POST /budget/update');
  const save = async (values: Values) => {
    if (of === undefined) await make.mutateAsync({ body: asBody(values) });
    else await change.mutateAsync({ body: asBody({ budget_id: of.budget_id, ...values }) });
    onClose();
  };
  const title = of === undefined ? 'New tier' : `Edit ${of.budget_id}`;
  return <RecordForm title={title} fields={FIELDS} record={of} save={save} onClose={onClose} />;
}

function DeleteTier({ id, onClose }: { id: string; onClose: () => void }) {
  const remove = useChange('POST /budget/delete');
  return (
    <Confirm
      title="Delete this tier?"
      name={id}
      action="Delete"
      run={() => remove.mutateAsync({ body: { id } })}
      onClose={onClose}
    >
      Whoever is in it has no limits of it any more.
    </Confirm>
  );
}
