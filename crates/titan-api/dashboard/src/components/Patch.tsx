// A unified diff: what was added, what was removed, and where.
import { useMemo } from 'react';
import classes from './Patch.module.css';
import { kindsOf } from './patchLines';
import { ScrollBox } from './ScrollBox';
import { Visible } from './Visible';

interface PatchProps {
  patch: string;
  /** Whether it goes on. */
  truncated?: boolean;
  /** What it is called where there are several. */
  label?: string;
}

/** Each line is an element of the page; of more a page would stall, and nobody reads so many. */
export const MOST_LINES = 5000;

export function Patch({ patch, truncated = false, label = 'Differences' }: PatchProps) {
  const lines = useMemo(() => {
    const texts = patch.replace(/\n$/, '').split('\n');
    const kinds = kindsOf(texts);
    return texts.map((text, index) => ({ text, index, kind: kinds[index] }));
  }, [patch]);
  return (
    <>
      <ScrollBox label={label} className={classes.patch} testId="patch">
        <pre className={`${classes.lines} mono`}>
          {lines.slice(0, MOST_LINES).map(({ text, index, kind }) => (
            <span key={index} data-line={kind}>
              <Visible text={text} />
              {'\n'}
            </span>
          ))}
        </pre>
      </ScrollBox>
      {lines.length > MOST_LINES && (
        <p className={classes.rest}>
          The first {MOST_LINES.toLocaleString('en')} of {lines.length.toLocaleString('en')} lines are shown.
        </p>
      )}
      {truncated && <p className={classes.rest}>The rest is left out: it is longer than 1 MiB.</p>}
    </>
  );
}
