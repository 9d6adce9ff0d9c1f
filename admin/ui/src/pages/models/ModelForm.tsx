import type { Deployment } from '@/api/answers';
import { asBody, useChange } from '@/api/hooks';
import type { Values } from '@/parts/form/fields';
import { RecordForm } from '@/parts/form/RecordForm';
import { FIELDS } from './fields';
import { Trial } from './Trial';

interface Props {
  of?: Deployment;
  /** Makes another one like it. Keys are never told, so that they have to be given again. */
  clone?: boolean;
  onClose: () => void;
}

/** `{'a.b': 1}` becomes `{a: {b: 1}}`. */
function nested(values: Values): Values {
  const body: Record<string, Values | unknown> = {};
  for (const [path, value] of Object.entries(values)) {
    const [group = '', name] = path.split('.');
    if (name === undefined) body[group] = value;
    else body[group] = { ...(body[group] as Values | undefined), [name]: value };
  }
  return body;
}

/** What is to be tested: what is there with what differs, so that keys that were never told are used. */
function trial(values: Values, id: string | undefined): object {
  const { model_info: info, ...body } = nested(values);
  return { litellm_params: {}, ...body, model_info: { ...(info as Values | undefined), ...(id && { id }) } };
}

/** What of a model's price the catalogue says is no setting of the deployment. */
function written(of: Deployment): Deployment {
  const { base_model, mode, access_groups, id, db_model } = of.model_info;
  const own = typeof of.model_info['key'] === 'string' ? {} : { mode };
  return {
    ...of,
    model_info: { id, db_model, base_model, access_groups, ...own } as Deployment['model_info'],
  };
}

export function ModelForm({ of, clone = false, onClose }: Props) {
  const make = useChange('POST /model/new');
  const change = useChange('PATCH /model/{id}/update');
  const edits = of !== undefined && !clone;
  const save = async (values: Values) => {
    const body = nested(values);
    if (edits) await change.mutateAsync({ path: { id: of.model_info.id }, body: asBody(body) });
    else await make.mutateAsync({ body: asBody({ litellm_params: {}, ...body }) });
    onClose();
  };
  const title = edits ? `Edit ${of.model_name}` : clone ? `Clone ${of?.model_name}` : 'New deployment';
  const record = of === undefined ? undefined : written(of);
  const start = clone && record !== undefined ? { start: flat(record) } : {};
  return (
    <RecordForm
      title={title}
      fields={FIELDS}
      record={edits ? record : undefined}
      {...start}
      save={save}
      beside={(values) => <Trial body={trial(values, edits ? of.model_info.id : undefined)} />}
      onClose={onClose}
    />
  );
}

function flat(of: Deployment): Values {
  const values: Values = { model_name: of.model_name };
  for (const { name } of FIELDS) {
    const [group, member] = name.split('.');
    if (group === undefined || member === undefined) continue;
    values[name] = (of as unknown as Record<string, Values>)[group]?.[member] ?? undefined;
  }
  return values;
}
