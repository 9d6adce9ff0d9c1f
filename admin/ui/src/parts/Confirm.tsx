import { Button, Modal, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Failed } from './Answered';
import css from './parts.module.css';

interface Props {
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** What has to be typed; without it a click is enough. */
  name?: string;
  action: string;
  run: () => Promise<unknown>;
  onClose: () => void;
  danger?: boolean;
}

/** Asks before something that cannot be taken back, or that stops somebody's work. */
export function Confirm({ title, children, name, action, run, onClose, danger = true }: Props) {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const sure = name === undefined || typed === name;
  const go = async (event: FormEvent) => {
    event.preventDefault();
    if (!sure) return;
    setBusy(true);
    try {
      await run();
      onClose();
    } catch (refusal) {
      setError(refusal as Error);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form className={css.form} onSubmit={go}>
        <div>{children}</div>
        {name !== undefined && (
          <TextInput
            label={
              <>
                Type <b>{name}</b> to go on
              </>
            }
            data-autofocus
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        {error !== null && <Failed error={error} />}
        <div className={css.formEnd}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color={danger ? 'red' : 'teal'} disabled={!sure} loading={busy}>
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
