import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Key, NewKey } from '@/api/answers';
import { address } from '@/api/client';
import { asBody, useChange } from '@/api/hooks';
import { Secret, Whole } from '@/parts/Copy';
import { Facts } from '@/parts/Facts';
import { initial, type Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { Notice } from '@/parts/Notice';
import css from '@/parts/parts.module.css';
import { FIELDS, INCREASE } from './fields';

const EDITED = [...FIELDS, ...INCREASE];

interface Props {
  start?: Values;
  onClose: () => void;
}

export function NewKeyForm({ start = {}, onClose }: Props) {
  const make = useChange('POST /key/generate');
  const [made, setMade] = useState<NewKey | null>(null);
  const save = async (values: Values) => setMade(await make.mutateAsync({ body: asBody(values) }));
  return (
    <RecordForm
      title={made === null ? 'New key' : 'The key'}
      fields={FIELDS}
      start={start}
      save={save}
      onClose={onClose}
    >
      {made === null ? undefined : <ShownOnce made={made} onClose={onClose} />}
    </RecordForm>
  );
}

/** What clients of OpenAI's are given beside the key. */
const BASE = new URL(address('/v1'), window.location.href).href;

/** The one time that the text of a key is there to be seen. */
export function ShownOnce({ made, onClose }: { made: NewKey; onClose: () => void }) {
  return (
    <div className={css.form}>
      <Notice tone="warn" title="Copy it now">
        It is shown this one time. Only its hash is kept; a lost key can be rotated, not read.
      </Notice>
      <Secret text={made.key} what="The key" />
      <Facts of={[['Base address', <Whole key="base" of={BASE} what="address" />]]} />
      <div className={css.formEnd}>
        <Button variant="default" component={Link} to={`/keys/${made.token}`} onClick={onClose}>
          Open the key
        </Button>
        <Button onClick={onClose}>Done</Button>
      </div>
    </div>
  );
}

/** Both, where one of them was changed: the server takes them together. */
function whole(of: Key, values: Values): Values {
  const said = INCREASE.some(({ name }) => name in values);
  return said ? { ...initial(INCREASE, of), ...values } : values;
}

export function EditKeyForm({ of, onClose }: { of: Key; onClose: () => void }) {
  const change = useChange('POST /key/update');
  const save = async (values: Values) => {
    await change.mutateAsync({ body: asBody({ key: of.token, ...whole(of, values) }) });
    onClose();
  };
  return (
    <RecordForm
      title={`Edit ${of.key_alias ?? of.key_name}`}
      fields={EDITED}
      record={of}
      save={save}
      onClose={onClose}
    />
  );
}
