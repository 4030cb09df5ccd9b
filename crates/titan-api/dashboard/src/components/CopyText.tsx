// An id that is shown short and copied whole.
import { Tooltip, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { shortId } from '../lib/format';
import classes from './States.module.css';

export function CopyText({ value, label, text }: { value: string; label: string; text?: string }) {
  const [outcome, setOutcome] = useState<string | null>(null);
  const shown = text ?? shortId(value);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setOutcome('Copied');
    } catch {
      // Plain HTTP from another machine has no clipboard; the whole value is in the tooltip then.
      setOutcome('The browser does not allow copying here');
    }
    setTimeout(() => setOutcome(null), 2000);
  };
  return (
    <Tooltip label={outcome ?? value} events={{ hover: true, focus: true, touch: true }}>
      <UnstyledButton className={`${classes.copy} mono`} onClick={copy} aria-label={`${label}: ${shown}`}>
        {shown}
        <span className="sr-only" aria-live="polite">
          {outcome}
        </span>
      </UnstyledButton>
    </Tooltip>
  );
}
