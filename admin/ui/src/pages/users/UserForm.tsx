import type { User } from '@/api/answers';
import { asBody, useChange } from '@/api/hooks';
import type { Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { FIELDS } from './fields';

export function UserForm({ of, onClose }: { of?: User; onClose: () => void }) {
  const make = useChange('POST /user/new');
  const change = useChange('POST /user/update');
  const save = async (values: Values) => {
    // People sign in and make their keys themselves; one that nobody has seen helps nobody.
    if (of === undefined) await make.mutateAsync({ body: asBody({ auto_create_key: false, ...values }) });
    else await change.mutateAsync({ body: asBody({ user_id: of.user_id, ...values }) });
    onClose();
  };
  const title = of === undefined ? 'New user' : `Edit ${of.user_email ?? of.user_id}`;
  const start = of === undefined ? { user_role: 'internal_user' } : {};
  return <RecordForm title={title} fields={FIELDS} record={of} start={start} save={save} onClose={onClose} />;
}
