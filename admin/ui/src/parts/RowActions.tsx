import { ActionIcon, Button } from '@mantine/core';
import { Icon } from './Icon';
import css from './parts.module.css';

interface Props {
  name: string;
  edit: () => void;
  remove: () => void;
}

/** Edit and delete, in the row of a record that has no page of its own. */
export function RowActions({ name, edit, remove }: Props) {
  return (
    <span className={css.rowActions}>
      <Button variant="default" size="compact-xs" aria-label={`Edit ${name}`} onClick={edit}>
        Edit
      </Button>
      <ActionIcon aria-label={`Delete ${name}`} onClick={remove}>
        <Icon name="bin" />
      </ActionIcon>
    </span>
  );
}
