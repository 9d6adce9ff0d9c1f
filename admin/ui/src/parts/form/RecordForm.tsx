import { Button, Drawer } from '@mantine/core';
import { type FormEvent, useMemo, useState } from 'react';
import { Failed } from '../Answered';
import css from '../parts.module.css';
import { Field } from './Field';
import { changed, type Field as Description, initial, type Values } from './fields';

interface Props {
  title: string;
  fields: readonly Description[];
  /** The record to change; without it one is made. */
  record?: object | undefined;
  /** What stands in a new one, such as the team it is made for. */
  start?: Values;
  action?: string;
  /** Gets what was filled in, or what differs from the record. */
  save: (values: Values) => Promise<unknown>;
  onClose: () => void;
  /** What stands under the fields, made of what would be saved. */
  beside?: (values: Values) => React.ReactNode;
  /** What is said after saving, instead of closing. */
  children?: React.ReactNode;
}

/** A form at the right, made from a table of fields. */
export function RecordForm(props: Props) {
  const { title, fields, record, start, action, save, onClose, beside, children } = props;
  const wanted = record === undefined ? 'new' : 'edit';
  const shown = useMemo(
    () => fields.filter((field) => field.only === undefined || field.only === wanted),
    [fields, wanted],
  );
  const [before] = useState(() => initial(shown, record));
  const [values, setValues] = useState<Values>({ ...before, ...start });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    await save(changed(shown, before, values)).catch((refusal: Error) => setError(refusal));
    setBusy(false);
  };
  const [first, more] = [shown.filter((field) => !field.more), shown.filter((field) => field.more)];
  const set = (name: string, value: unknown) => setValues((old) => ({ ...old, [name]: value }));
  // A click beside the form or a key by mistake shall lose neither what was typed nor what is said this one time.
  const closes =
    children === undefined && Object.keys(changed(shown, { ...before, ...start }, values)).length === 0;
  return (
    <Drawer
      opened
      onClose={onClose}
      title={title}
      size={460}
      closeOnClickOutside={closes}
      closeOnEscape={closes}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {children ?? (
        <form className={css.form} onSubmit={submit}>
          <Fields of={first} values={values} set={set} />
          {more.length > 0 && (
            <details className={css.more}>
              <summary>More</summary>
              <div className={css.form}>
                <Fields of={more} values={values} set={set} />
              </div>
            </details>
          )}
          {beside?.(changed(shown, before, values))}
          {error !== null && <Failed error={error} />}
          <div className={css.formEnd}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              {action ?? (record === undefined ? 'Create' : 'Save')}
            </Button>
          </div>
        </form>
      )}
    </Drawer>
  );
}

interface FieldsProps {
  of: readonly Description[];
  values: Values;
  set: (name: string, value: unknown) => void;
}

function Fields({ of, values, set }: FieldsProps) {
  return of.map((field) => (
    <Field
      key={field.name}
      field={field}
      value={values[field.name]}
      onChange={(value) => set(field.name, value)}
    />
  ));
}
