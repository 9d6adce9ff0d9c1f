import type { Customer } from '@/api/answers';
import { asBody, useChange } from '@/api/hooks';
import type { Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { FIELDS } from './fields';

export function CustomerForm({ of, onClose }: { of?: Customer; onClose: () => void }) {
  const make = useChange('POST /customer/new');
  const change = useChange('POST /customer/update');
  const save = async (values: Values) => {
    if (of === undefined) await make.mutateAsync({ body: asBody(values) });
    else await change.mutateAsync({ body: asBody({ user_id: of.user_id, ...values }) });
    onClose();
  };
  const title = of === undefined ? 'New customer' : `Edit ${of.alias ?? of.user_id}`;
  return <RecordForm title={title} fields={FIELDS} record={of} save={save} onClose={onClose} />;
}
