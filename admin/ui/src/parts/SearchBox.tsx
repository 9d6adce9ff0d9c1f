import { TextInput } from '@mantine/core';
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import { Icon } from './Icon';

interface Props {
  label: string;
  value: string;
  onChange: (text: string) => void;
}

/** Asks when typing pauses, not at every letter. */
export function SearchBox({ label, value, onChange }: Props) {
  const [text, setText] = useState(value);
  const tell = useDebouncedCallback(onChange, 250);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  useHotkeys([['/', () => box.current?.focus()]]);
  return (
    <TextInput
      ref={box}
      type="search"
      w={220}
      aria-label={label}
      placeholder={label}
      title="Press / to come here"
      leftSection={<Icon name="search" size={14} />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
    />
  );
}
