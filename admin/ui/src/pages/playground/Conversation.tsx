import { type ReactNode, useEffect, useRef } from 'react';
import { Failed } from '@/parts/Answered';
import { Empty } from '@/parts/Empty';
import parts from '@/parts/parts.module.css';
import type { Message, ToolCall } from './chat';
import { Measured } from './Measured';
import css from './playground.module.css';
import { Results } from './Results';
import { type Turn, type useChat, waiting } from './useChat';

interface Props {
  chat: ReturnType<typeof useChat>;
  picker: ReactNode;
  /** Goes on with the results of calls. */
  answer: (results: Message[]) => void;
}

export function Conversation({ chat, picker, answer }: Props) {
  const end = useRef<HTMLDivElement>(null);
  const { turns, busy } = chat;
  const calls = busy ? [] : waiting(turns);
  useEffect(() => {
    if (turns.length > 0) end.current?.scrollIntoView({ block: 'nearest' });
  }, [turns]);
  return (
    <section className={css.chat} aria-label="Conversation">
      <header className={css.chatHead}>{picker}</header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <div className={css.turns} aria-live="polite" aria-busy={busy} tabIndex={0}>
        {turns.length === 0 && chat.error === null && <Empty title="Nothing said yet" />}
        {turns.map((turn, at) => (
          <Said key={at} of={turn} busy={busy && at === turns.length - 1} />
        ))}
        {calls.length > 0 && <Results key={turns.length} calls={calls} send={answer} />}
        {chat.error !== null && <Failed error={chat.error} />}
        <div ref={end} />
      </div>
    </section>
  );
}

function textOf({ content }: Message): string {
  if (content === null || typeof content === 'string') return content ?? '';
  return content.map((part) => (part.type === 'text' ? part.text : '[picture]')).join('\n');
}

function Said({ of: { message, told }, busy }: { of: Turn; busy: boolean }) {
  return (
    <article className={css.turn} data-role={message.role}>
      {message.role === 'tool' && <div className={`${parts.small} ${css.measured}`}>Result</div>}
      <div className={css.said}>
        {textOf(message)}
        {busy && <span className={css.caret} aria-hidden="true" />}
      </div>
      {message.tool_calls?.map((call) => (
        <Call key={call.id} of={call} />
      ))}
      {told !== undefined && <Measured of={told} />}
    </article>
  );
}

function Call({ of: { function: called } }: { of: ToolCall }) {
  return (
    <pre className={parts.pre}>
      {called.name}({called.arguments})
    </pre>
  );
}
