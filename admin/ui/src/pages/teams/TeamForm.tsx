import type { Team } from '@/api/answers';
import { RecordForm } from '@/parts/form/RecordForm';
import { useSave } from '@/parts/form/useSave';
import { FIELDS } from './fields';

export function TeamForm({ of, onClose }: { of?: Team; onClose: () => void }) {
  const which = of && { team_id: of.team_id };
  const save = useSave('POST /team/new', 'POST /team/update', which, onClose);
  const title = of === undefined ? 'New team' : `Edit ${of.team_alias ?? of.team_id}`;
  return <RecordForm title={title} fields={FIELDS} record={of} save={save} onClose={onClose} />;
}
