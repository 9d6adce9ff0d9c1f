import { type ReactNode, useEffect, useRef } from 'react';
import { Failed } from '@/parts/Answered';
import { Empty } from '@/parts/Empty';
import { count, milliseconds, money } from '@/parts/format';
import type { Message } from './chat';
import css from './playground.module.css';
import type { Turn, useChat } from './useChat';

interface Props {
  chat: ReturnType<typeof useChat>;
  picker: ReactNode;
}

export function Conversation({ chat, picker }: Props) {
  const end = useRef<HTMLDivElement>(null);
  const { turns } = chat;
  useEffect(() => {
    if (turns.length > 0) end.current?.scrollIntoView({ block: 'nearest' });
  }, [turns]);
  return (
    <section className={css.chat} aria-label="Conversation">
      <header className={css.chatHead}>{picker}</header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <div className={css.turns} aria-live="polite" tabIndex={0}>
        {turns.length === 0 && chat.error === null && <Empty title="Nothing said yet" />}
        {turns.map((turn, at) => (
          <Said key={at} of={turn} busy={chat.busy && at === turns.length - 1} />
        ))}
        {chat.error !== null && <Failed error={chat.error} />}
        <div ref={end} />
      </div>
    </section>
  );
}

function textOf({ content }: Message): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '[picture]')).join('\n');
}

function Said({ of, busy }: { of: Turn; busy: boolean }) {
  return (
    <article className={css.turn} data-role={of.message.role}>
      <div className={css.said}>
        {textOf(of.message)}
        {busy && <span className={css.caret} aria-hidden="true" />}
      </div>
      {of.told !== undefined && <Measured of={of.told} />}
    </article>
  );
}

function Measured({ of }: { of: NonNullable<Turn['told']> }) {
  const told = [
    of.first !== null && `first token ${milliseconds(of.first)}`,
    `${milliseconds(of.took)} in all`,
    of.usage !== null && `${count(of.usage.prompt_tokens)} in, ${count(of.usage.completion_tokens)} out`,
    of.cost === null ? 'no price' : money(of.cost),
  ];
  return <footer className={css.measured}>{told.filter(Boolean).join(' · ')}</footer>;
}
