import type { Organization } from '@/api/answers';
import { asBody, useChange } from '@/api/hooks';
import type { Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { FIELDS } from './fields';

export function OrganizationForm({ of, onClose }: { of?: Organization; onClose: () => void }) {
  const make = useChange('POST /organization/new');
  const change = useChange('PATCH /organization/update');
  const save = async (values: Values) => {
    if (of === undefined) await make.mutateAsync({ body: asBody(values) });
    else await change.mutateAsync({ body: asBody({ organization_id: of.organization_id, ...values }) });
    onClose();
  };
  const title = of === undefined ? 'New organisation' : `Edit ${of.organization_alias}`;
  return <RecordForm title={title} fields={FIELDS} record={of} save={save} onClose={onClose} />;
}
