import { ActionIcon, Button, Menu } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { userLabel } from '@/api/rights';
import { Confirm } from './Confirm';
import { actionsHeader } from './columns';
import { type Column, DataTable } from './DataTable';
import { Empty } from './Empty';
import type { Field, Values } from './form/fields';
import { RecordForm } from './form/RecordForm';
import { Icon } from './Icon';
import { Meter } from './Meter';
import { Section } from './Page';

export interface MemberRow {
  user_id: string;
  user_email: string | null;
  role: string;
  spend?: number | undefined;
  max_budget_in_team?: number | null | undefined;
  budget_duration?: string | null | undefined;
}

interface Props {
  of: string;
  members: MemberRow[];
  /** What is asked of a new member, and of one that is changed. */
  fields: readonly Field[];
  writes: boolean;
  add: (values: Values) => Promise<unknown>;
  change: (member: MemberRow, values: Values) => Promise<unknown>;
  remove: (member: MemberRow) => Promise<unknown>;
  /** For who may add and change but not remove. */
  removes?: boolean;
  /** What goes with the membership. */
  loses?: string;
}

type Doing = { what: 'add' } | { what: 'change' | 'remove'; member: MemberRow };

const nameOf = (member: MemberRow) => member.user_email ?? userLabel(member.user_id);

/** Who belongs to a team or an organisation, and as what. */
export function Members(props: Props) {
  const { of, members, fields, writes, add, change, remove, removes = true, loses } = props;
  const [doing, setDoing] = useState<Doing | null>(null);
  const done = () => setDoing(null);
  const columns: Column<MemberRow>[] = [
    {
      id: 'user',
      header: 'User',
      accessorFn: nameOf,
      cell: ({ row }) => (
        <Link to={`/users/${encodeURIComponent(row.original.user_id)}`}>{nameOf(row.original)}</Link>
      ),
    },
    { id: 'role', header: 'Role', accessorFn: (member) => member.role.replaceAll('_', ' ') },
    {
      id: 'spend',
      header: 'Spend here',
      accessorFn: (member) => member.spend ?? 0,
      cell: ({ row }) => <Meter spend={row.original.spend ?? 0} budget={row.original.max_budget_in_team} />,
      meta: { minor: true },
    },
  ];
  if (writes) {
    columns.push({
      id: 'more',
      header: actionsHeader,
      enableSorting: false,
      cell: ({ row }) => (
        <More
          name={nameOf(row.original)}
          removes={removes}
          start={(what) => setDoing({ what, member: row.original })}
        />
      ),
      meta: { number: true },
    });
  }
  const action = writes && (
    <Button variant="default" onClick={() => setDoing({ what: 'add' })}>
      Add member
    </Button>
  );
  return (
    <Section title="Members" about={String(members.length)} actions={action} bare>
      <DataTable label="Members" columns={columns} rows={members} empty={<Empty title="No members" />} />
      {doing?.what === 'add' && (
        <RecordForm
          title={`Add to ${of}`}
          fields={fields}
          start={{ role: fields.find((field) => field.name === 'role')?.choices?.[0]?.value }}
          action="Add"
          save={(values) => add(values).then(done)}
          onClose={done}
        />
      )}
      {doing?.what === 'change' && (
        <RecordForm
          title={nameOf(doing.member)}
          fields={fields}
          record={doing.member}
          save={(values) => change(doing.member, values).then(done)}
          onClose={done}
        />
      )}
      {doing?.what === 'remove' && (
        <Confirm
          title={`Remove from ${of}?`}
          name={nameOf(doing.member)}
          action="Remove"
          run={() => remove(doing.member)}
          onClose={done}
        >
          {nameOf(doing.member)} loses {loses ?? `what comes with ${of}`}. The user stays.
        </Confirm>
      )}
    </Section>
  );
}

interface MoreProps {
  name: string;
  removes: boolean;
  start: (what: 'change' | 'remove') => void;
}

function More({ name, removes, start }: MoreProps) {
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon aria-label={`What to do with ${name}`}>
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => start('change')}>Change</Menu.Item>
        {removes && (
          <Menu.Item color="red" onClick={() => start('remove')}>
            Remove
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
