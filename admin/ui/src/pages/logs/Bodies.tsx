import { Tabs } from '@mantine/core';
import type { Entry } from '@/api/answers';
import { Copy } from '@/parts/Copy';
import { Section } from '@/parts/Page';
import parts from '@/parts/parts.module.css';
import css from './logs.module.css';

const empty = (value: unknown) =>
  value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);

/** What was said, where it was kept; and the entry as the API tells it. */
export function Bodies({ of }: { of: Entry }) {
  const { messages, response, proxy_server_request: request } = of;
  const kept = !empty(messages) || !empty(response) || !empty(request);
  const { messages: _, response: __, proxy_server_request: ___, ...entry } = of;
  return (
    <Section title="What was said" about={kept ? '' : 'not kept: store_prompts_in_spend_logs is off'}>
      <Tabs defaultValue={kept ? 'messages' : 'entry'} keepMounted={false}>
        <Tabs.List>
          {kept && <Tabs.Tab value="messages">Messages</Tabs.Tab>}
          {!empty(request) && <Tabs.Tab value="request">Request</Tabs.Tab>}
          {!empty(response) && <Tabs.Tab value="response">Response</Tabs.Tab>}
          <Tabs.Tab value="entry">Entry</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="messages" pt="sm">
          <Messages of={messages} response={response} />
        </Tabs.Panel>
        <Tabs.Panel value="request" pt="sm">
          <Text of={request} what="request" />
        </Tabs.Panel>
        <Tabs.Panel value="response" pt="sm">
          <Text of={response} what="response" />
        </Tabs.Panel>
        <Tabs.Panel value="entry" pt="sm">
          <Text of={entry} what="entry" />
        </Tabs.Panel>
      </Tabs>
    </Section>
  );
}

function Text({ of, what }: { of: unknown; what: string }) {
  const text = typeof of === 'string' ? of : JSON.stringify(of, null, 2);
  return (
    <div className={css.text}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <pre className={parts.pre} tabIndex={0}>
        {text}
      </pre>
      <div className={css.copy}>
        <Copy text={text} what={what} />
      </div>
    </div>
  );
}

interface Message {
  role: string;
  content: unknown;
  tool_calls?: { function?: { name?: string; arguments?: string } }[];
}

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'content' in value;

/** Texts as they were said; of a picture or a sound only that it was there. */
function partOf(part: unknown): string {
  if (typeof part === 'string') return part;
  const { type, text } = (part ?? {}) as { type?: string; text?: unknown };
  if (typeof text === 'string') return text;
  if (type !== undefined && SEEN.test(type)) return `[${type.replace(/^input_|_url$/g, '')}]`;
  return JSON.stringify(part, null, 2);
}

const SEEN = /image|audio|file|document/;

function said({ content, tool_calls: calls = [] }: Message): string {
  const parts = content === null || content === undefined ? [] : Array.isArray(content) ? content : [content];
  const called = calls.map(({ function: of }) => `${of?.name ?? ''}(${of?.arguments ?? ''})`);
  return [...parts.map(partOf), ...called].join('\n');
}

/** What a model answered, in the forms of chats, of messages and of responses. */
function answersOf(response: unknown): Message[] {
  const { choices, content, role, output } = (response ?? {}) as {
    choices?: { message?: unknown }[];
    content?: unknown;
    role?: string;
    output?: unknown[];
  };
  if (Array.isArray(choices)) return choices.map((choice) => choice.message).filter(isMessage);
  if (Array.isArray(output)) return output.filter(isMessage);
  return Array.isArray(content) ? [{ role: role ?? 'assistant', content }] : [];
}

function Messages({ of, response }: { of: unknown; response: unknown }) {
  const asked = Array.isArray(of) ? of.filter(isMessage) : [];
  const all = [...asked, ...answersOf(response)];
  if (all.length === 0) return <Text of={of} what="messages" />;
  return (
    <div className={css.messages}>
      {all.map((message, at) => (
        <div key={at}>
          <div className={parts.small}>{message.role}</div>
          <div className={css.said}>{said(message)}</div>
        </div>
      ))}
    </div>
  );
}
