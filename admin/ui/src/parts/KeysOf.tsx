import { useState } from 'react';
import { Button } from '@mantine/core';
import type { Key } from '@/api/answers';
import { useMay } from '@/api/session';
import { COLUMNS, keyPath } from '@/pages/keys/columns';
import { NewKeyForm } from '@/pages/keys/KeyForm';
import { DataTable } from './DataTable';
import { Empty } from './Empty';
import { Section } from './Page';
import type { Values } from './form/fields';

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
