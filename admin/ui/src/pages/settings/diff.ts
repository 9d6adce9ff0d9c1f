import type { Json } from '@/api/answers';
import { exactMoney, moment } from '@/parts/format';

export interface Difference {
  name: string;
  before?: string;
  after?: string;
}

const isVoid = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.entries(value).every(isNothing));

/** Of what a group holds: what is off, or never happened. A limit of nothing is one: it is not the same as none. */
const isNothing = ([name, value]: [string, unknown]): boolean =>
  value === false || (value === 0 && name === 'count') || isVoid(value);

const micros = (value: number) => moment(new Date(value / 1000).toISOString());

/** Records are told as the ledger keeps them: amounts in billionths of a dollar, times in microseconds. */
const UNITS: [name: RegExp, tell: (value: number) => string][] = [
  [/^(max|soft)_budget$/, (nanos) => exactMoney(nanos / 1e9)],
  [/_at$/, micros],
];

function text(name: string, value: unknown): string | undefined {
  if (isVoid(value)) return undefined;
  const unit = UNITS.find(([names]) => names.test(name));
  if (unit !== undefined && typeof value === 'number') return unit[1](value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What tells nobody anything: bytes of a hash, and what is sealed (what may be told of it stands in `shown`). */
const HIDDEN = new Set(['hash', 'masked', 'sealed_params']);
const isSealed = (record: Json | null, name: string) => name === 'value' && 'shown' in (record ?? {});

/** Fields that differ, by name; what is in one of them only has one side. */
export function differences(before: Json | null, after: Json | null): Difference[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names
    .filter((name) => !HIDDEN.has(name) && !isSealed(after ?? before, name))
    .flatMap((name) => {
      const [was, is] = [text(name, before?.[name]), text(name, after?.[name])];
      if (was === is) return [];
      return [{ name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
    });
}
