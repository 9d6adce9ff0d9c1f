import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Key } from '@/api/answers';
import { useMay } from '@/api/session';
import { DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import type { Values } from '@/parts/form/fields';
import { count } from '@/parts/format';
import { Section } from '@/parts/Page';
import { Pager } from '@/parts/Pager';
import { useParams } from '@/parts/params';
import { COLUMNS, keyPath } from './columns';
import { NewKeyForm } from './KeyForm';

const SIZE = 50;

/** Which keys are in view, as a parameter of whoever they belong to. */
export function useKeyPage() {
  const [params, set] = useParams(DEFAULTS);
  return { page: Number(params.page), size: SIZE, set };
}

const DEFAULTS = { page: '1' };

interface Props {
  keys: Key[];
  total: number;
  list: ReturnType<typeof useKeyPage>;
  start: Values;
}

/** Keys of a team or a user, page by page, and a new one for it. */
export function KeysOf({ keys, total, list, start }: Props) {
  const [making, setMaking] = useState(false);
  const writes = useMay('change keys');
  // The server turns the pages, the youngest first; one page by itself is in no other order.
  const own = COLUMNS.filter((column) => !(String(column.id) in start));
  const columns = total > SIZE ? own.map((column) => ({ ...column, enableSorting: false })) : own;
  return (
    <Section
      title="Keys"
      about={count(total)}
      actions={
        writes && (
          <Button variant="default" onClick={() => setMaking(true)}>
            New key
          </Button>
        )
      }
      bare
    >
      <DataTable
        label="Keys"
        columns={columns}
        rows={keys}
        to={keyPath}
        empty={<Empty title="No keys" />}
        foot={
          total > SIZE && (
            <Pager page={list.page} size={SIZE} total={total} onPage={(page) => list.set({ page })} />
          )
        }
      />
      {making && <NewKeyForm start={start} onClose={() => setMaking(false)} />}
    </Section>
  );
}
