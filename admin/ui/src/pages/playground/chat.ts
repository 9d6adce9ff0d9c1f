// One streamed chat request, as any client would make it.
import { address, request } from '@/api/client';

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string | Part[];
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

export interface Heard {
  text: (more: string) => void;
  tool: (call: string) => void;
}

export interface Told {
  usage: Usage | null;
  /** Milliseconds from sending to the first text, and to the end. */
  first: number | null;
  took: number;
  callId: string | null;
}

interface Chunk {
  choices?: {
    delta?: { content?: string; tool_calls?: { function?: { name?: string; arguments?: string } }[] };
  }[];
  usage?: Usage | null;
  error?: { message: string };
}

export async function chat(asked: Asked, heard: Heard, signal: AbortSignal): Promise<Told> {
  const start = performance.now();
  const body = { ...asked, stream: true, stream_options: { include_usage: true } };
  const response = await request('POST', address('/v1/chat/completions'), body, signal);
  const told: Told = { usage: null, first: null, took: 0, callId: response.headers.get('x-litellm-call-id') };
  for await (const chunk of events(response)) {
    if (chunk.error !== undefined) throw new Error(chunk.error.message);
    const delta = chunk.choices?.[0]?.delta;
    if (delta?.content || delta?.tool_calls) told.first ??= performance.now() - start;
    if (delta?.content) heard.text(delta.content);
    for (const call of delta?.tool_calls ?? []) {
      heard.tool(`${call.function?.name ?? ''}${call.function?.arguments ?? ''}`);
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
