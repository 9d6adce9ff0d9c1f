import type { Json } from '@/api/answers';

export interface Difference {
  name: string;
  before?: string;
  after?: string;
}

const void_ = (value: unknown) =>
  value === null ||
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

function text(value: unknown): string | undefined {
  if (void_(value)) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Records are told as the ledger keeps them: the hash of a key is a list of bytes there, which tells nobody anything. */
const HIDDEN = new Set(['hash', 'masked']);

/** Fields that differ, by name; what is in one of them only has one side. */
export function differences(before: Json | null, after: Json | null): Difference[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names
    .filter((name) => !HIDDEN.has(name))
    .flatMap((name) => {
      const [was, is] = [text(before?.[name]), text(after?.[name])];
      if (was === is) return [];
      return [{ name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
    });
}
