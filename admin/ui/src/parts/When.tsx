import { Tooltip } from '@mantine/core';
import { ago, moment } from './format';

/** How long ago, and when exactly on a closer look. */
export function When({ at }: { at: string | null | undefined }) {
  if (!at) return <>–</>;
  return (
    <Tooltip label={moment(at)}>
      <time dateTime={at}>{ago(at)}</time>
    </Tooltip>
  );
}
