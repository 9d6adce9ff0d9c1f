import type { User } from '@/api/answers';
import type { Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { useSave } from '@/parts/form/useSave';
import { FIELDS } from './fields';

export function UserForm({ of, onClose }: { of?: User; onClose: () => void }) {
  const which = of && { user_id: of.user_id };
  const save = useSave('POST /user/new', 'POST /user/update', which, onClose);
  // People sign in and make their keys themselves; one that nobody has seen helps nobody.
  const saveUser = (values: Values) =>
    save(of === undefined ? { auto_create_key: false, ...values } : values);
  const title = of === undefined ? 'New user' : `Edit ${of.user_email ?? of.user_id}`;
  const start = of === undefined ? { user_role: 'internal_user' } : {};
  return (
    <RecordForm title={title} fields={FIELDS} record={of} start={start} save={saveUser} onClose={onClose} />
  );
}
