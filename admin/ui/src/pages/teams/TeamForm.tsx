import type { Team } from '@/api/answers';
import { asBody, useChange } from '@/api/hooks';
import type { Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { FIELDS } from './fields';

export function TeamForm({ of, onClose }: { of?: Team; onClose: () => void }) {
  const make = useChange('POST /team/new');
  const change = useChange('POST /team/update');
  const save = async (values: Values) => {
    if (of === undefined) await make.mutateAsync({ body: asBody(values) });
    else await change.mutateAsync({ body: asBody({ team_id: of.team_id, ...values }) });
    onClose();
  };
  const title = of === undefined ? 'New team' : `Edit ${of.team_alias ?? of.team_id}`;
  return <RecordForm title={title} fields={FIELDS} record={of} save={save} onClose={onClose} />;
}
