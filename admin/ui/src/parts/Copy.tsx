import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { shortId } from './format';
import { Icon } from './Icon';
import parts from './parts.module.css';
import css from './show.module.css';

export function Copy({ text, what }: { text: string; what: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : `Copy ${what}`}>
      <ActionIcon
        size="xs"
        aria-label={clipboard.copied ? 'Copied' : `Copy ${what}`}
        onClick={() => clipboard.copy(text)}
      >
        <Icon name={clipboard.copied ? 'check' : 'copy'} size={13} />
      </ActionIcon>
    </Tooltip>
  );
}

/** An id, shortened, with what copies all of it. */
export function Id({ of, what = 'id' }: { of: string | null | undefined; what?: string }) {
  if (!of) return <>–</>;
  return (
    <span className={parts.id} title={of}>
      <code>{shortId(of)}</code>
      <Copy text={of} what={what} />
    </span>
  );
}

/** The same of a text that is short enough to be shown whole. */
export function Whole({ of, what }: { of: string; what: string }) {
  return (
    <span className={parts.id}>
      <code>{of}</code>
      <Copy text={of} what={what} />
    </span>
  );
}

/** A text that is shown this one time. */
export function Secret({ text, what }: { text: string; what: string }) {
  const clipboard = useClipboard({ timeout: 2500 });
  return (
    <div className={css.secret}>
      <input readOnly value={text} aria-label={what} onFocus={(event) => event.currentTarget.select()} />
      <Button
        leftSection={<Icon name={clipboard.copied ? 'check' : 'copy'} size={14} />}
        onClick={() => clipboard.copy(text)}
      >
        {clipboard.copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}
