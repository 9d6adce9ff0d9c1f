import { shortId } from '@/parts/format';
import { Narrowed } from '@/parts/Narrowed';
import { SearchBox } from '@/parts/SearchBox';
import { hashOf, isKey } from './resolve';

type Params = Record<'q' | 'alias' | 'hash' | 'team' | 'user', string>;

interface Props {
  params: Params;
  set: (change: Partial<Record<keyof Params, string | undefined>>) => void;
}

const FILTERS: { name: keyof Params; label: string }[] = [
  { name: 'alias', label: 'Name' },
  { name: 'hash', label: 'Key' },
  { name: 'team', label: 'Team' },
  { name: 'user', label: 'User' },
];

/** A whole key, and not what lists show of one. */
const isWhole = (text: string) => isKey(text) && text.length > 8 && !text.startsWith('sk-.');

/** Part of a name, how a hash begins, or a whole key, which stays out of the address and of the box. */
export function Find({ params, set }: Props) {
  const go = (text: string) => {
    if (isWhole(text)) void hashOf(text).then((hash) => set({ hash, q: undefined }));
    else set({ q: text });
  };
  return (
    <>
      <SearchBox key={params.hash} label="Find a key" value={params.q} onChange={(text) => go(text.trim())} />
      {FILTERS.filter(({ name }) => params[name] !== '').map(({ name, label }) => (
        <Narrowed
          key={name}
          label={label}
          value={shortId(params[name])}
          onClear={() => set({ [name]: undefined })}
        />
      ))}
    </>
  );
}
