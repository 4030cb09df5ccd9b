// A unified diff: what was added, what was removed, and where.
import classes from './Patch.module.css';
import { ScrollBox } from './ScrollBox';

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
  const lines = patch.replace(/\n$/, '').split('\n');
  return (
    <>
      <ScrollBox label={label} className={classes.patch} testId="patch">
        <pre className={`${classes.lines} mono`}>
          {lines
            .slice(0, MOST_LINES)
            .map((line, index) => ({ line, index }))
            .map(({ line, index }) => (
              <span key={index} data-line={kindOf(line)}>
                {line}
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

function kindOf(line: string): 'added' | 'removed' | 'place' | undefined {
  if (line.startsWith('+') && !line.startsWith('+++')) return 'added';
  if (line.startsWith('-') && !line.startsWith('---')) return 'removed';
  return line.startsWith('@@') ? 'place' : undefined;
}
