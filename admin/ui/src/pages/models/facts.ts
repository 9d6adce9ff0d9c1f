// What can be read off a deployment.
import type { Deployment } from '@/api/answers';

/** Patterns have the prices of what is asked for through them. */
export const unpriced = ({ weir }: Deployment): boolean => weir.price.from === 'unpriced';

export type Place = 'ledger' | 'file';

export const placeOf = ({ model_info: info }: Deployment): Place => (info.db_model ? 'ledger' : 'file');

/** Where it is written, as far as that is told. */
export function writtenAt({ weir: { source } }: Deployment): string | undefined {
  return source?.from === 'file' ? `${source.file}:${source.line}` : undefined;
}

/** What the ledger changes in an entry of the file. */
export const changedHere = ({ weir }: Deployment): string[] => Object.keys(weir.changed ?? {});

/** Where the price comes from: the deployment's own settings, or the catalogue (under which name). */
export function priceSource({ weir: { price } }: Deployment): string {
  const listed = `catalogue: ${price.key}`;
  switch (price.from) {
    case 'catalogue':
      return listed;
    case 'pattern':
      return 'by the name that is asked for';
    case 'unpriced':
      return 'none';
    case 'config':
      return price.key === null ? 'set by the deployment' : `set by the deployment, the rest ${listed}`;
  }
}

/** Names of prices that are set, and the section of each. */
export const setPrices = ({ weir }: Deployment): string[] =>
  Object.entries(weir.price.set).map(([name, section]) => `${section}.${name}`);

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
