// Why something does not move, on the thing itself. Times in the server's words are UTC; they are shown as local ones.
import { IconInfoCircle } from '@tabler/icons-react';
import type { Hint } from '../api/types';
import { formatClock, formatExact } from '../lib/format';
import classes from './HintText.module.css';

const UTC_TIME = /(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)/;

export function HintText({ hint }: { hint: Pick<Hint, 'code' | 'message'> | null }) {
  if (hint === null) return null;
  return (
    <p className={classes.hint} data-testid="hint" data-code={hint.code}>
      <IconInfoCircle size={15} aria-hidden />
      <span>
        {hint.message.split(UTC_TIME).map((part) =>
          UTC_TIME.test(part) ? (
            <time key={part} dateTime={part} title={formatExact(part)}>
              {formatClock(part)}
            </time>
          ) : (
            part
          ),
        )}
      </span>
    </p>
  );
}
