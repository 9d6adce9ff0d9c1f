import { Autocomplete, Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { shortId } from '@/parts/format';
import { Icon } from '@/parts/Icon';
import { hashOf, isKey } from './resolve';

type Params = Record<'alias' | 'hash' | 'team' | 'user', string>;

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

/** A name, of which the server tells what there is while it is typed; or a whole key, or its hash. */
export function Find({ params, set }: Props) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 200);
  const findsNames = useMay('find keys');
  const names = useAnswer(
    'GET /key/aliases',
    { query: { search } },
    { enabled: findsNames && search !== '' },
  );
  const go = (value: string) => {
    if (isKey(value)) void hashOf(value).then((hash) => set({ hash, alias: undefined }));
    else set({ alias: value, hash: undefined });
    setText('');
  };
  return (
    <>
      <Autocomplete
        w={280}
        aria-label="Find a key"
        placeholder="Find by name, key or hash"
        leftSection={<Icon name="search" size={14} />}
        data={[...new Set(names.data?.aliases ?? [])]}
        limit={20}
        value={text}
        onChange={setText}
        onOptionSubmit={go}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && text.trim() !== '') go(text.trim());
        }}
      />
      {FILTERS.filter(({ name }) => params[name] !== '').map(({ name, label }) => (
        <Button
          key={name}
          variant="light"
          rightSection={<Icon name="close" size={12} />}
          onClick={() => set({ [name]: undefined })}
        >
          {label}: {shortId(params[name])}
        </Button>
      ))}
    </>
  );
}
