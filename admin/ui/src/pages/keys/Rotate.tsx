import { useState } from 'react';
import { useNavigate } from 'react-router';
import type { Key, NewKey } from '@/api/answers';
import { asBody, useChange } from '@/api/hooks';
import type { FieldsOf, Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { keyName } from './columns';
import { ShownOnce } from './KeyForm';

const GRACES = [
  { value: '1h', label: 'one hour' },
  { value: '24h', label: 'one day' },
  { value: '7d', label: 'one week' },
];

const FIELDS = [
  {
    name: 'grace_period',
    label: 'The old key is taken for',
    kind: 'duration',
    choices: GRACES,
    placeholder: 'not at all',
    help: 'Time to bring the new one to whoever uses it. Empty: the old one stops at once.',
  },
] as const satisfies FieldsOf<'POST /key/{key}/regenerate'>;

/** A new text for the key; all else stays: owner, budget, spend. */
export function Rotate({ of, onClose }: { of: Key; onClose: () => void }) {
  const rotate = useChange('POST /key/{key}/regenerate');
  const navigate = useNavigate();
  const [made, setMade] = useState<NewKey | null>(null);
  const save = async (values: Values) =>
    setMade(await rotate.mutateAsync({ path: { key: of.token }, body: asBody(values) }));
  // The new text has a new hash, and with it another page.
  const close = () => {
    onClose();
    if (made !== null) navigate(`/keys/${made.token}`, { replace: true });
  };
  return (
    <RecordForm
      title={`Rotate ${keyName(of)}`}
      fields={FIELDS}
      start={{ grace_period: '24h' }}
      action="Rotate"
      save={save}
      onClose={close}
    >
      {made === null ? undefined : <ShownOnce made={made} onClose={close} />}
    </RecordForm>
  );
}
