import type { Customer } from '@/api/answers';
import type { Field } from '@/parts/form/fields';
import { isTier } from '@/parts/form/lookups';
import { RecordForm } from '@/parts/form/RecordForm';
import { useSave } from '@/parts/form/useSave';
import { FIELDS, IN_TIER } from './fields';

/** The tier that a customer is in, if it is in one. */
export const tierOf = ({ budget_id: id }: Customer) => (id && isTier(id) ? id : undefined);

export function CustomerForm({ of, onClose }: { of?: Customer; onClose: () => void }) {
  const which = of && { user_id: of.user_id };
  const save = useSave('POST /customer/new', 'POST /customer/update', which, onClose);
  const title = of === undefined ? 'New customer' : `Edit ${of.alias ?? of.user_id}`;
  const fields: readonly Field[] = of !== undefined && tierOf(of) !== undefined ? IN_TIER : FIELDS;
  return <RecordForm title={title} fields={fields} record={of} save={save} onClose={onClose} />;
}
