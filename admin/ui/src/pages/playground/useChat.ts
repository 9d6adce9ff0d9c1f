import { useCallback, useRef, useState } from 'react';
import type { Deployment } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { type Asked, chat, type Message, type Told } from './chat';

export interface Turn {
  message: Message;
  told?: Told & { cost: number | null };
}

/** What the first deployment of that name charges; which one served is known from the logs alone. */
function cost(told: Told, deployment: Deployment | undefined): number | null {
  const { input_cost_per_token: input, output_cost_per_token: output } = deployment?.model_info ?? {};
  if (told.usage === null || typeof input !== 'number' || typeof output !== 'number') return null;
  return told.usage.prompt_tokens * input + told.usage.completion_tokens * output;
}

/** A conversation with one model. */
export function useChat(model: string) {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const abort = useRef<AbortController | null>(null);
  const models = useAnswer('GET /v2/model/info');
  const deployment = models.data?.data.find((row) => row.model_name === model);

  const send = async (message: Message, settings: Omit<Asked, 'model' | 'messages'>, system: string) => {
    const asked = [...turns, { message }];
    const answer: Turn = { message: { role: 'assistant', content: '' } };
    let text = '';
    const heard = (more: string) => {
      text += more;
      setTurns([...asked, { message: { role: 'assistant', content: text } }]);
    };
    setTurns([...asked, answer]);
    setBusy(true);
    setError(null);
    abort.current = new AbortController();
    const first: Message[] = system === '' ? [] : [{ role: 'system', content: system }];
    const messages = [...first, ...asked.map((turn) => turn.message)];
    try {
      const told = await chat(
        { model, messages, ...settings },
        { text: heard, tool: heard },
        abort.current.signal,
      );
      const done = {
        message: { role: 'assistant' as const, content: text },
        told: { ...told, cost: cost(told, deployment) },
      };
      setTurns([...asked, done]);
    } catch (problem) {
      const stopped = problem instanceof DOMException && problem.name === 'AbortError';
      if (!stopped) setError(problem as Error);
      setTurns(text === '' ? turns : [...asked, { message: { role: 'assistant', content: text } }]);
    }
    setBusy(false);
  };

  const stop = useCallback(() => abort.current?.abort(), []);
  const clear = () => {
    stop();
    setTurns([]);
    setError(null);
  };
  return { turns, busy, error, send, stop, clear };
}
