import type { Deployment, Entry } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { count, exactMoney, perMillion } from '@/parts/format';
import css from './logs.module.css';

interface Line {
  label: string;
  tokens: number;
  price: number;
}

/** Providers count what was read from and written to a cache among the input, at prices of its own. */
export function lines(of: Entry, { model_info: info }: Deployment): Line[] {
  const usage = of.metadata.usage_object;
  if (usage === null) return [];
  const price = (name: string, other = 0) =>
    typeof info[name] === 'number' ? (info[name] as number) : other;
  const [input, output] = [price('input_cost_per_token'), price('output_cost_per_token')];
  const read = usage.cache_read_input_tokens ?? usage.prompt_tokens_details?.cached_tokens ?? 0;
  const written = usage.cache_creation_input_tokens ?? 0;
  const all: Line[] = [
    { label: 'Input', tokens: usage.prompt_tokens - read - written, price: input },
    { label: 'Read from cache', tokens: read, price: price('cache_read_input_token_cost', input) },
    { label: 'Written to cache', tokens: written, price: price('cache_creation_input_token_cost', input) },
    { label: 'Output', tokens: usage.completion_tokens, price: output },
  ];
  return all.filter((line) => line.tokens > 0);
}

/** What was booked, worked out once more at the prices that hold today. */
export function Price({ of }: { of: Entry }) {
  const found = useAnswer(
    'GET /v2/model/info',
    { query: { modelId: of.model_id } },
    { enabled: of.model_id !== '' },
  );
  const deployment = found.data?.data.find((row) => row.model_info.id === of.model_id);
  if (of.metadata.weir?.unpriced) return <>No price was known for this model, so that nothing was booked.</>;
  if (of.metadata.usage_object === null) return <>Nothing was used, so that nothing was booked.</>;
  const all = deployment === undefined ? [] : lines(of, deployment);
  const sum = all.reduce((cost, line) => cost + line.tokens * line.price, 0);
  const same = Math.abs(sum - of.spend) < 5e-9;
  return (
    <>
      <table className={css.sum}>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Tokens</th>
            <th scope="col">A million</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {all.map((line) => (
            <tr key={line.label}>
              <td>{line.label}</td>
              <td>{count(line.tokens)}</td>
              <td>{perMillion(line.price)}</td>
              <td>{exactMoney(line.tokens * line.price)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td colSpan={3}>Booked</td>
            <td>{exactMoney(of.spend)}</td>
          </tr>
        </tfoot>
      </table>
      <p className={css.note}>
        {note(deployment !== undefined, same)}
        {of.metadata.weir?.price_version && ` Price version ${of.metadata.weir.price_version}.`}
      </p>
    </>
  );
}

function note(known: boolean, same: boolean): string {
  if (!known) return 'The deployment is gone, so that its prices cannot be shown.';
  if (same) return 'Worked out at the prices that hold today.';
  return 'At the prices that hold today it comes to something else: they have changed since, or other things than tokens were billed.';
}
