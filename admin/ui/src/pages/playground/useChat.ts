import { useCallback, useRef, useState } from 'react';
import type { Deployment } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { type Asked, chat, type Message, type Told } from './chat';

export interface Turn {
  message: Message;
  told?: Told & { cost: number | null };
}

export type Settings = Omit<Asked, 'model' | 'messages'>;

/** What the first deployment of that name charges, until it is known what was booked. */
function cost(told: Told, deployment: Deployment | undefined): number | null {
  const { input_cost_per_token: input, output_cost_per_token: output } = deployment?.model_info ?? {};
  if (told.usage === null || typeof input !== 'number' || typeof output !== 'number') return null;
  return told.usage.prompt_tokens * input + told.usage.completion_tokens * output;
}

/** Calls of the last answer, which wait for their results. */
export const waiting = (turns: Turn[]) => turns.at(-1)?.message.tool_calls ?? [];

const wasStopped = (problem: unknown) => problem instanceof DOMException && problem.name === 'AbortError';

/** A conversation with one model. */
export function useChat(model: string) {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const abort = useRef<AbortController | null>(null);
  const models = useAnswer('GET /v2/model/info');
  const deployment = models.data?.data.find((row) => row.model_name === model);

  const send = async (more: Message[], settings: Settings, system: string) => {
    const here = new AbortController();
    abort.current = here;
    // What was cleared in the meantime stays so.
    const show = (next: Turn[]) => abort.current === here && setTurns(next);
    const asked = [...turns, ...more.map((message) => ({ message }))];
    const first: Message[] = system === '' ? [] : [{ role: 'system', content: system }];
    const messages = [...first, ...asked.map((turn) => turn.message)];
    let message: Message = { role: 'assistant', content: '' };
    const heard = (answer: Message) => {
      message = answer;
      show([...asked, { message }]);
    };
    show([...asked, { message }]);
    setBusy(true);
    setError(null);
    try {
      const told = await chat({ model, messages, ...settings }, heard, here.signal);
      show([...asked, { message, told: { ...told, cost: cost(told, deployment) } }]);
    } catch (problem) {
      if (!wasStopped(problem)) setError(problem as Error);
      // Of an answer that was cut off its calls are not whole.
      const { tool_calls: _, ...said } = message;
      show(said.content === '' ? turns : [...asked, { message: said }]);
    }
    if (abort.current === here) setBusy(false);
  };

  const stop = useCallback(() => abort.current?.abort(), []);
  const clear = () => {
    stop();
    abort.current = null;
    setTurns([]);
    setBusy(false);
    setError(null);
  };
  return { turns, busy, error, send, stop, clear };
}
