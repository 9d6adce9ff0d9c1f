import { Select, Switch } from '@mantine/core';
import { useState } from 'react';
import type { Change } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { userLabel } from '@/api/rights';
import { Answered } from '@/parts/Answered';
import { Id } from '@/parts/Copy';
import { type Column, DataTable } from '@/parts/DataTable';
import { DayInput } from '@/parts/DayInput';
import { Empty } from '@/parts/Empty';
import { Pager } from '@/parts/Pager';
import { useParams } from '@/parts/params';
import css from '@/parts/parts.module.css';
import { SearchBox } from '@/parts/SearchBox';
import { Status } from '@/parts/Status';
import { When } from '@/parts/When';
import { differences } from './diff';
import diff from './settings.module.css';

const SIZE = 25;

const TABLES = [
  { value: 'LiteLLM_VerificationToken', label: 'Keys' },
  { value: 'LiteLLM_TeamTable', label: 'Teams' },
  { value: 'LiteLLM_UserTable', label: 'Users' },
  { value: 'LiteLLM_OrganizationTable', label: 'Organisations' },
  { value: 'LiteLLM_TeamMembership', label: 'Members of teams' },
  { value: 'LiteLLM_OrganizationMembership', label: 'Members of organisations' },
  { value: 'LiteLLM_InvitationLink', label: 'Invitations' },
  { value: 'LiteLLM_DeprecatedVerificationToken', label: 'Former texts of keys' },
  { value: 'LiteLLM_EndUserTable', label: 'Customers' },
  { value: 'LiteLLM_BudgetTable', label: 'Budgets' },
  { value: 'LiteLLM_ProxyModelTable', label: 'Models' },
  { value: 'LiteLLM_CredentialsTable', label: 'Credentials' },
  { value: 'LiteLLM_TagTable', label: 'Tags' },
  { value: 'LiteLLM_Config', label: 'Settings' },
];

const ACTIONS = ['created', 'updated', 'deleted', 'blocked', 'unblocked', 'spend_set'].map((value) => ({
  value,
  label: value.replace('_', ' '),
}));

const TONES = { created: 'good', deleted: 'bad', blocked: 'bad' } as const;
const toneOf = (action: string) => TONES[action as keyof typeof TONES] ?? 'plain';
const labelOf = (table: string) =>
  TABLES.find((row) => row.value === table)?.label ?? table.replace('LiteLLM_', '');

const DEFAULTS = { page: '1', table: '', action: '', object: '', who: '', from: '', to: '' };

export function Audit() {
  const [params, set] = useParams(DEFAULTS);
  const [whole, setWhole] = useState(false);
  const page = Number(params.page);
  const changes = useAnswer('GET /audit', {
    query: {
      page,
      page_size: SIZE,
      table_name: params.table,
      action: params.action,
      object_id: params.object,
      changed_by: params.who,
      start_date: params.from,
      end_date: params.to,
    },
  });
  const columns: Column<Change>[] = [
    {
      id: 'at',
      header: 'When',
      enableSorting: false,
      cell: ({ row }) => <When at={row.original.updated_at} />,
    },
    {
      id: 'who',
      header: 'Who',
      enableSorting: false,
      accessorFn: (row) => (row.changed_by === '' ? 'the gateway' : userLabel(row.changed_by)),
      meta: { minor: true },
    },
    {
      id: 'object',
      header: 'What',
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <>
          <div>
            {labelOf(original.table_name)} <Status tone={toneOf(original.action)}>{original.action}</Status>
          </div>
          <Id of={original.object_id} />
        </>
      ),
    },
    {
      id: 'change',
      header: 'Change',
      enableSorting: false,
      cell: ({ row }) => <Diff of={row.original} whole={whole} />,
      meta: { wide: true },
    },
  ];
  return (
    <div className={css.form}>
      <div className={css.filters}>
        <Select
          aria-label="Of what"
          placeholder="Everything"
          data={TABLES}
          value={params.table || null}
          clearable
          onChange={(table) => set({ table: table ?? '' })}
        />
        <Select
          aria-label="What"
          placeholder="Any change"
          data={ACTIONS}
          value={params.action || null}
          clearable
          onChange={(action) => set({ action: action ?? '' })}
        />
        <SearchBox label="By whom (user id)" value={params.who} onChange={(who) => set({ who })} />
        <SearchBox label="Of which (id)" value={params.object} onChange={(object) => set({ object })} />
        <DayInput label="From" value={params.from} onChange={(from) => set({ from })} />
        <DayInput label="To" value={params.to} onChange={(to) => set({ to })} />
        <Switch
          label="All fields"
          checked={whole}
          onChange={(event) => setWhole(event.currentTarget.checked)}
        />
      </div>
      <Answered of={changes} lines={10}>
        {(answer) => (
          <DataTable
            label="Changes"
            columns={columns}
            rows={answer.audit_logs}
            empty={<Empty title="No changes" />}
            foot={
              <Pager page={page} size={SIZE} total={answer.total} onPage={(next) => set({ page: next })} />
            }
          />
        )}
      </Answered>
    </div>
  );
}

const MOST = 6;

function Diff({ of, whole }: { of: Change; whole: boolean }) {
  const all = differences(of.before_value, of.updated_values);
  const shown = whole ? all : all.slice(0, MOST);
  if (all.length === 0) return <span className={css.dim}>nothing that is told</span>;
  return (
    <>
      <dl className={diff.diff}>
        {shown.map(({ name, before, after }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}
            </dd>
          </div>
        ))}
      </dl>
      {all.length > shown.length && <span className={css.dim}>and {all.length - shown.length} more</span>}
    </>
  );
}
