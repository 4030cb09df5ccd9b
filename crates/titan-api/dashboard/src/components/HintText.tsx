// Why something does not move, on the thing itself.
import { IconInfoCircle } from '@tabler/icons-react';
import type { Hint } from '../api/types';
import classes from './HintText.module.css';

export function HintText({ hint }: { hint: Hint | null }) {
  if (hint === null) return null;
  return (
    <p className={classes.hint} data-testid="hint" data-code={hint.code}>
      <IconInfoCircle size={15} aria-hidden />
      <span>{hint.message}</span>
    </p>
  );
}
