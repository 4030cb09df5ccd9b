// That what is shown of a file, or of all of them, is not what was changed.
import { IconAlertTriangle } from '@tabler/icons-react';
import { plural } from '../../../lib/format';
import ops from '../Ops.module.css';
import classes from './Diff.module.css';
import type { Counted, Entries, Entry } from './entries';

export function FileFault({ entry }: { entry: Entry }) {
  const words = wordsOf(entry);
  if (words === null) return null;
  return (
    <p className={classes.fault} data-testid="fault" data-fault={entry.fault}>
      <IconAlertTriangle size={15} aria-hidden />
      {words}
    </p>
  );
}

function wordsOf({ fault, file, shown }: Entry): string | null {
  switch (fault) {
    case null:
      return null;
    case 'after':
      return 'It is not shown: the differences end before it.';
    case 'cut':
      return 'It is not complete: the differences end within it.';
    case 'missing':
      return 'It is not shown: it is not in the differences.';
    case 'differs':
      return `What is shown is not the whole: it has ${counted(shown)}, and the change has ${counted(file)}.`;
  }
}

const counted = ({ additions, deletions }: Counted): string =>
  `${plural(additions, 'added line')} and ${plural(deletions, 'removed line')}`;

/** Nothing while all that is shown fits what was counted. That the differences are too long is said below them. */
export function Mismatch({ entries, strangers }: Entries) {
  const wrong = entries.filter(({ fault }) => fault === 'missing' || fault === 'differs').map(({ file }) => file.path);
  if (wrong.length === 0 && strangers.length === 0) return null;
  return (
    <div className={`${ops.error} ${classes.mismatch}`} role="alert" data-testid="mismatch">
      <strong>What is shown here is not the change.</strong> Decide nothing by it.
      {wrong.length > 0 && <p>Not shown as a whole: {wrong.join(', ')}.</p>}
      {strangers.length > 0 && <p>In the differences, and in no list of what is changed: {strangers.join(', ')}.</p>}
    </div>
  );
}
