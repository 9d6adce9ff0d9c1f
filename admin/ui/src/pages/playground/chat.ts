// One streamed chat request, as any client would make it.
import { address, request } from '@/api/client';

export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string | Part[] | null;
  tool_calls?: ToolCall[];
  /** Which call this is the result of. */
  tool_call_id?: string;
}

export type Part = { type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } };

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
}

export interface Asked {
  model: string;
  messages: Message[];
  temperature?: number | undefined;
  max_tokens?: number | undefined;
  tools?: unknown;
}

export interface Told {
  usage: Usage | null;
  /** Milliseconds from sending to the first text, and to the end. */
  first: number | null;
  took: number;
  callId: string | null;
}

interface CallDelta {
  index?: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

interface Chunk {
  choices?: { delta?: { content?: string | null; tool_calls?: CallDelta[] } }[];
  usage?: Usage | null;
  error?: { message: string };
}

/** The answer as far as it has come. */
function grown(answer: Message, delta: { content?: string | null; tool_calls?: CallDelta[] }): Message {
  const text = `${answer.content ?? ''}${delta.content ?? ''}`;
  const calls = (delta.tool_calls ?? []).reduce(joined, answer.tool_calls ?? []);
  return { ...answer, content: text, ...(calls.length > 0 && { tool_calls: calls }) };
}

/** A call comes in pieces, which name its place. */
function joined(calls: ToolCall[], { index = calls.length, id, function: more }: CallDelta): ToolCall[] {
  const place = Math.min(index, calls.length);
  const old = calls[place]?.function;
  const call: ToolCall = {
    id: id ?? calls[place]?.id ?? `call_${place}`,
    type: 'function',
    function: {
      name: `${old?.name ?? ''}${more?.name ?? ''}`,
      arguments: `${old?.arguments ?? ''}${more?.arguments ?? ''}`,
    },
  };
  return [...calls.slice(0, place), call, ...calls.slice(place + 1)];
}

/** `heard` gets the whole answer so far, as often as more of it comes. */
export async function chat(
  asked: Asked,
  heard: (answer: Message) => void,
  signal: AbortSignal,
): Promise<Told> {
  const start = performance.now();
  const body = { ...asked, stream: true, stream_options: { include_usage: true } };
  const response = await request('POST', address('/v1/chat/completions'), body, signal);
  const told: Told = { usage: null, first: null, took: 0, callId: response.headers.get('x-litellm-call-id') };
  let answer: Message = { role: 'assistant', content: '' };
  for await (const chunk of events(response)) {
    if (chunk.error !== undefined) throw new Error(chunk.error.message);
    const delta = chunk.choices?.[0]?.delta;
    if (delta?.content || delta?.tool_calls) {
      told.first ??= performance.now() - start;
      answer = grown(answer, delta);
      heard(answer);
    }
    if (chunk.usage) told.usage = chunk.usage;
  }
  return { ...told, took: performance.now() - start };
}

async function* events(response: Response): AsyncGenerator<Chunk> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (buffer + value).split('\n');
    buffer = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: ') && !line.includes('[DONE]')) yield JSON.parse(line.slice(6));
    }
  }
}
