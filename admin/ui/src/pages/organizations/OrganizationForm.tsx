import type { Organization } from '@/api/answers';
import { RecordForm } from '@/parts/form/RecordForm';
import { useSave } from '@/parts/form/useSave';
import { FIELDS } from './fields';

export function OrganizationForm({ of, onClose }: { of?: Organization; onClose: () => void }) {
  const which = of && { organization_id: of.organization_id };
  const save = useSave('POST /organization/new', 'PATCH /organization/update', which, onClose);
  const title = of === undefined ? 'New organisation' : `Edit ${of.organization_alias}`;
  return <RecordForm title={title} fields={FIELDS} record={of} save={save} onClose={onClose} />;
}
