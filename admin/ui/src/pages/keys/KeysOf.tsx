import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Key } from '@/api/answers';
import { useMay } from '@/api/session';
import { DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import type { Values } from '@/parts/form/fields';
import { Section } from '@/parts/Page';
import { COLUMNS, keyPath } from './columns';
import { NewKeyForm } from './KeyForm';

/** Keys of a team or a user, and a new one for it. */
export function KeysOf({ keys, start }: { keys: Key[]; start: Values }) {
  const [making, setMaking] = useState(false);
  const writes = useMay('change keys');
  const columns = COLUMNS.filter((column) => !(String(column.id) in start));
  return (
    <Section
      title="Keys"
      about={String(keys.length)}
      actions={
        writes && (
          <Button variant="default" onClick={() => setMaking(true)}>
            New key
          </Button>
        )
      }
      bare
    >
      <DataTable label="Keys" columns={columns} rows={keys} to={keyPath} empty={<Empty title="No keys" />} />
      {making && <NewKeyForm start={start} onClose={() => setMaking(false)} />}
    </Section>
  );
}
