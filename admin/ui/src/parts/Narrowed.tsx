import { Button } from '@mantine/core';
import { Icon } from './Icon';

interface Props {
  label: string;
  value: string;
  /** What pressing it does, for who wonders. */
  title?: string;
  onClear: () => void;
}

/** What a view is narrowed to; pressed, it is no more. */
export function Narrowed({ label, value, title = 'Not only this', onClear }: Props) {
  return (
    <Button variant="light" rightSection={<Icon name="close" size={12} />} title={title} onClick={onClear}>
      {label}: {value}
    </Button>
  );
}
