// What can be read off a deployment.
import type { Deployment } from '@/api/answers';

/** Patterns have the prices of what is asked for through them. */
export function unpriced({ model_name, model_info: info }: Deployment): boolean {
  const prices = Object.entries(info).filter(
    ([name, value]) => name.includes('cost') && typeof value === 'number',
  );
  return !model_name.includes('*') && prices.length === 0;
}

export type Source = 'ledger' | 'file';

export const sourceOf = ({ model_info: info }: Deployment): Source => (info.db_model ? 'ledger' : 'file');

/** Where the price comes from: the deployment's own settings, or the catalogue (under which name). */
export function priceSource(deployment: Deployment): string {
  if (unpriced(deployment)) return 'none';
  const own = Object.keys(deployment.litellm_params).some((name) => name.includes('cost_per'));
  if (own) return 'set by the deployment';
  const key = deployment.model_info['key'];
  return typeof key === 'string' ? `catalogue: ${key}` : 'set by the deployment';
}

const PRICES: [name: string, label: string][] = [
  ['input_cost_per_token', 'Input'],
  ['output_cost_per_token', 'Output'],
  ['cache_read_input_token_cost', 'Cached input'],
  ['cache_creation_input_token_cost', 'Cache write'],
  ['output_cost_per_reasoning_token', 'Reasoning'],
  ['input_cost_per_audio_token', 'Audio input'],
  ['output_cost_per_audio_token', 'Audio output'],
  ['input_cost_per_token_priority', 'Input, priority tier'],
  ['output_cost_per_token_priority', 'Output, priority tier'],
  ['input_cost_per_token_batches', 'Input, batch'],
  ['output_cost_per_token_batches', 'Output, batch'],
];

/** Prices per token that are known. */
export function prices({ model_info: info }: Deployment): { name: string; label: string; price: number }[] {
  return PRICES.flatMap(([name, label]) => {
    const price = info[name];
    return typeof price === 'number' ? [{ name, label, price }] : [];
  });
}

const ABILITY = /^supports_/;

export function abilities({ model_info: info }: Deployment): string[] {
  return Object.keys(info)
    .filter((name) => ABILITY.test(name) && info[name] === true)
    .map((name) => name.replace(ABILITY, '').replaceAll('_', ' '));
}
