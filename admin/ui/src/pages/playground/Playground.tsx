import { ActionIcon, Button, NumberInput, Select, Switch, Textarea } from '@mantine/core';
import { type KeyboardEvent, useState } from 'react';
import { useModelNames } from '@/parts/form/lookups';
import { Icon } from '@/parts/Icon';
import { Page } from '@/parts/Page';
import { useParams } from '@/parts/params';
import { Conversation } from './Conversation';
import type { Message, Part } from './chat';
import { Picture, type Taken } from './Picture';
import css from './playground.module.css';
import { useChat, waiting } from './useChat';

const SYSTEM = { model: '', other: '' };

export default function Playground() {
  const names = useModelNames();
  const [params, set] = useParams(SYSTEM);
  const model = params.model || names[0] || '';
  const [one, two] = [useChat(model), useChat(params.other)];
  const sideBySide = params.other !== '';
  const chats = sideBySide ? [one, two] : [one];
  const [text, setText] = useState('');
  const [system, setSystem] = useState('');
  const [temperature, setTemperature] = useState<number | undefined>();
  const [most, setMost] = useState<number | undefined>();
  const [picture, setPicture] = useState<Taken | null>(null);
  const [tools, setTools] = useState('');
  const each = (what: (chat: (typeof chats)[number]) => void) => {
    for (const chat of chats) what(chat);
  };
  const busy = chats.some((chat) => chat.busy);

  const settings = () => ({ temperature, max_tokens: most, ...readTools(tools) });

  const send = () => {
    if ((text.trim() === '' && picture === null) || busy || model === '') return;
    const content = contentOf(text, picture);
    for (const chat of chats) {
      const message: Message = { role: 'user', content };
      void chat.send([...unanswered(chat), message], settings(), system);
    }
    setText('');
    setPicture(null);
  };
  const onKey = (event: KeyboardEvent) => {
    // Enter may also end a word that is being composed.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <Page
      title="Playground"
      about="What is sent here is booked like any other request."
      actions={
        <>
          <Switch
            label="Side by side"
            checked={sideBySide}
            onChange={(event) => set({ other: event.currentTarget.checked ? (names[1] ?? model) : '' })}
          />
          <Button variant="default" onClick={() => each((chat) => chat.clear())}>
            Clear
          </Button>
        </>
      }
    >
      <div className={css.playground}>
        <div className={css.chats} data-two={sideBySide}>
          <Conversation
            chat={one}
            answer={(results) => void one.send(results, settings(), system)}
            picker={<Model label="Model" names={names} value={model} set={(name) => set({ model: name })} />}
          />
          {sideBySide && (
            <Conversation
              chat={two}
              answer={(results) => void two.send(results, settings(), system)}
              picker={
                <Model
                  label="Other model"
                  names={names}
                  value={params.other}
                  set={(name) => set({ other: name })}
                />
              }
            />
          )}
        </div>
        <aside className={css.settings} aria-label="Settings">
          <Textarea
            label="System message"
            value={system}
            onChange={(event) => setSystem(event.currentTarget.value)}
          />
          <NumberInput
            label="Temperature"
            min={0}
            max={2}
            step={0.1}
            placeholder="the model’s own"
            value={temperature ?? ''}
            onChange={(value) => setTemperature(value === '' ? undefined : Number(value))}
          />
          <NumberInput
            label="Output tokens at most"
            min={1}
            allowDecimal={false}
            placeholder="no limit"
            value={most ?? ''}
            onChange={(value) => setMost(value === '' ? undefined : Number(value))}
          />
          <Textarea
            label="Tools"
            description="A JSON list, as OpenAI takes them"
            value={tools}
            error={toolsProblem(tools)}
            onChange={(event) => setTools(event.currentTarget.value)}
          />
        </aside>
        <div className={css.input}>
          <Textarea
            aria-label="Message"
            placeholder="Ask something. Enter sends, Shift and Enter start a new line."
            minRows={1}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={onKey}
            classNames={{ root: css.grow ?? '' }}
          />
          <Picture value={picture} onChange={setPicture} />
          {busy ? (
            <ActionIcon
              size={30}
              variant="default"
              aria-label="Stop"
              onClick={() => each((chat) => chat.stop())}
            >
              <Icon name="stop" />
            </ActionIcon>
          ) : (
            <ActionIcon size={30} variant="filled" color="teal" aria-label="Send" onClick={send}>
              <Icon name="send" />
            </ActionIcon>
          )}
        </div>
      </div>
    </Page>
  );
}

function contentOf(text: string, picture: Taken | null): string | Part[] {
  if (picture === null) return text;
  const shown: Part = { type: 'image_url', image_url: { url: picture.url } };
  return text.trim() === '' ? [shown] : [{ type: 'text', text }, shown];
}

/** Providers refuse a call without a result: whoever goes on without one says that there is none. */
const unanswered = ({ turns }: ReturnType<typeof useChat>): Message[] =>
  waiting(turns).map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'no result' }));

interface ModelProps {
  label: string;
  names: string[];
  value: string;
  set: (name: string) => void;
}

function Model({ label, names, value, set }: ModelProps) {
  return (
    <Select
      aria-label={label}
      data={names}
      value={value}
      onChange={(name) => set(name ?? '')}
      searchable
      allowDeselect={false}
      limit={100}
      maxDropdownHeight={320}
      w={230}
    />
  );
}

function readTools(text: string): { tools?: unknown } {
  if (text.trim() === '' || toolsProblem(text) !== undefined) return {};
  return { tools: JSON.parse(text) };
}

function toolsProblem(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    return Array.isArray(JSON.parse(text)) ? undefined : 'This is no list';
  } catch {
    return 'This is not JSON yet';
  }
}
