import { Button, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import parts from '@/parts/parts.module.css';
import type { Message, ToolCall } from './chat';

interface Props {
  calls: ToolCall[];
  send: (results: Message[]) => void;
}

/** What the tools say is said here: nothing is called. */
export function Results({ calls, send }: Props) {
  const [texts, setTexts] = useState<Record<string, string>>({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send(calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: texts[id] ?? '' })));
  };
  return (
    <form className={parts.form} onSubmit={submit}>
      {calls.map(({ id, function: called }) => (
        <Textarea
          key={id}
          label={`Result of ${called.name}`}
          required
          value={texts[id] ?? ''}
          onChange={(event) => {
            const text = event.currentTarget.value;
            setTexts((old) => ({ ...old, [id]: text }));
          }}
        />
      ))}
      <div>
        <Button type="submit" variant="default">
          Send results
        </Button>
      </div>
    </form>
  );
}
