// Lines that were added and removed.
import { plural } from '../../../lib/format';
import classes from './Diff.module.css';

export function Counts({ additions, deletions }: { additions: number; deletions: number }) {
  return (
    <span className="tnum">
      <span className={classes.added}>
        <span aria-hidden>+{additions.toLocaleString('en')}</span>
        <span className="sr-only">{plural(additions, 'line')} added</span>
      </span>{' '}
      <span className={classes.removed}>
        <span aria-hidden>−{deletions.toLocaleString('en')}</span>
        <span className="sr-only">{plural(deletions, 'line')} removed</span>
      </span>
    </span>
  );
}
