// Looks for something while somebody types; the address keeps what is looked for.
import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import classes from './SearchBox.module.css';

const PAUSE_MS = 250;
/** What the server takes everywhere; more words would find nothing. */
const LONGEST = 400;

interface SearchBoxProps {
  /** Completes "Search ...". */
  what: string;
  q: string;
  onSearch: (q: string) => void;
}

export function SearchBox({ what, q, onSearch }: SearchBoxProps) {
  const [text, setText] = useState(q);
  const applied = useRef(q);
  const apply = useDebouncedCallback((words: string) => {
    applied.current = words;
    onSearch(words);
  }, PAUSE_MS);
  // The address may change by itself: Back, or Show everything. What was applied from here comes back without the space
  // after which somebody goes on typing, and must not take its place.
  useEffect(() => {
    if (q === applied.current) return;
    applied.current = q;
    setText(q);
  }, [q]);
  return (
    <TextInput
      className={classes.search ?? ''}
      size="sm"
      type="search"
      aria-label={`Search ${what}`}
      placeholder={`Search ${what}`}
      leftSection={<IconSearch size={15} aria-hidden />}
      maxLength={LONGEST}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        apply(event.currentTarget.value.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && text !== '') {
          event.preventDefault();
          setText('');
          apply('');
        }
      }}
    />
  );
}
