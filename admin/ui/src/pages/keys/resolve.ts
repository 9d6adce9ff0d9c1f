import { call } from '@/api/client';

const HASH = /^[0-9a-f]{64}$/;

export const isKey = (text: string) => text.startsWith('sk-') || HASH.test(text);

/** What a key is known by, so that the key itself stays out of every address. */
export async function hashOf(key: string): Promise<string> {
  if (!key.startsWith('sk-')) return key;
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The hash for a name, a key or its hash. */
export async function resolved(text: string): Promise<string> {
  if (text === '' || isKey(text)) return hashOf(text);
  const { keys } = await call('GET /key/list', {
    query: { key_alias: text, size: 1, return_full_object: true },
  });
  const [found] = keys;
  if (found === undefined) throw new Error(`There is no key by the name of ${text}.`);
  return found.token;
}
