import { TextInput } from '@mantine/core';
import css from './parts.module.css';

interface Props {
  label: string;
  value: string;
  onChange: (day: string) => void;
}

/** A day, with its label in the box, as filters have it. */
export function DayInput({ label, value, onChange }: Props) {
  return (
    <TextInput
      type="date"
      aria-label={label}
      leftSection={<span className={css.small}>{label}</span>}
      leftSectionWidth={46}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
