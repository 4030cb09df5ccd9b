// The differences of one file, as somebody likes to read them.
import { useMemo } from 'react';
import { Patch } from '../../../components/Patch';
import classes from './Diff.module.css';
import { headOf, hunksOf, textOf, withoutSpace } from './hunks';
import type { DiffLook } from './look';
import type { DiffPart } from './parts';
import { SplitPatch } from './SplitPatch';

interface DifferencesProps {
  part: DiffPart;
  look: DiffLook;
  label: string;
}

export function Differences({ part: { text }, look, label }: DifferencesProps) {
  const all = useMemo(() => hunksOf(text), [text]);
  const { hunks, left } = useMemo(
    () => (look.withoutSpace ? withoutSpace(all) : { hunks: all, left: 0 }),
    [all, look.withoutSpace],
  );
  if (hunks.length === 0 && all.length > 0)
    return <p className={classes.note}>Nothing but white space differs, which is ignored now.</p>;
  return (
    <>
      {left > 0 && (
        <p className={classes.note} data-testid="with-space">
          White space is not ignored in all of it: too many lines that differ stand together.
        </p>
      )}
      {/* Without a hunk there are only the words of the head: a mode, a rename, bytes that are no text. */}
      {look.split && hunks.length > 0 ? (
        <SplitPatch hunks={hunks} label={label} />
      ) : (
        <Patch patch={look.withoutSpace ? headOf(text) + textOf(hunks) : text} label={label} />
      )}
    </>
  );
}
