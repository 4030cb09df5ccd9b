// How somebody likes to read differences. Beside each other or not is remembered in this browser; that white space is left out is
// not, since it can mean something, and who comes back is to see all of it.
import { useMediaQuery } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import { readStored, writeStored } from '../../../lib/storage';

const SPLIT = 'titan.diff-split';
/** Narrower, two columns of code are none that one can read. */
const WIDE = '(min-width: 768px)';

export interface DiffLook {
  split: boolean;
  /** Lines that differ in white space only count as the same. */
  withoutSpace: boolean;
}

export function useDiffLook() {
  const wide = useMediaQuery(WIDE, true, { getInitialValueInEffect: false });
  const [look, setLook] = useState<DiffLook>(() => ({ split: readStored(SPLIT) === 'yes', withoutSpace: false }));
  const change = (next: Partial<DiffLook>) => {
    if (next.split !== undefined) writeStored(SPLIT, next.split ? 'yes' : null);
    setLook((now) => ({ ...now, ...next }));
  };
  const shown = useMemo(() => ({ ...look, split: look.split && wide }), [look, wide]);
  return { look: shown, change, canSplit: wide };
}
