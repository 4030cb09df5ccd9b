// A unified diff: what was added, what was removed, and where.
import classes from './Patch.module.css';
import { ScrollBox } from './ScrollBox';

interface PatchProps {
  patch: string;
  /** Whether it goes on. */
  truncated?: boolean;
}

export function Patch({ patch, truncated = false }: PatchProps) {
  return (
    <>
      <ScrollBox label="Differences" className={classes.patch} testId="patch">
        <pre className={`${classes.lines} mono`}>
          {patch
            .split('\n')
            .map((line, index) => ({ line, index }))
            .map(({ line, index }) => (
              <span key={index} data-line={kindOf(line)}>
                {line}
                {'\n'}
              </span>
            ))}
        </pre>
      </ScrollBox>
      {truncated && <p className={classes.rest}>The rest is left out: it is longer than 1 MiB.</p>}
    </>
  );
}

function kindOf(line: string): 'added' | 'removed' | 'place' | undefined {
  if (line.startsWith('+') && !line.startsWith('+++')) return 'added';
  if (line.startsWith('-') && !line.startsWith('---')) return 'removed';
  return line.startsWith('@@') ? 'place' : undefined;
}
