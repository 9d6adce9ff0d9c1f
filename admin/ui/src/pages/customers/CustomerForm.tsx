import type { Customer } from '@/api/answers';
import { RecordForm } from '@/parts/form/RecordForm';
import { useSave } from '@/parts/form/useSave';
import { FIELDS } from './fields';

export function CustomerForm({ of, onClose }: { of?: Customer; onClose: () => void }) {
  const which = of && { user_id: of.user_id };
  const save = useSave('POST /customer/new', 'POST /customer/update', which, onClose);
  const title = of === undefined ? 'New customer' : `Edit ${of.alias ?? of.user_id}`;
  return <RecordForm title={title} fields={FIELDS} record={of} save={save} onClose={onClose} />;
}
