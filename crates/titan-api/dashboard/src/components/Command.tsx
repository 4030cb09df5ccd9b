// A command or a variable to copy.
import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import classes from './Command.module.css';

export function Command({ text }: { text: string }) {
  const clipboard = useClipboard({ timeout: 2000 });
  return (
    <span className={classes.command}>
      <code className="mono">{text}</code>
      <Button size="compact-xs" variant="default" onClick={() => clipboard.copy(text)} aria-label={`Copy ${text}`}>
        {clipboard.copied ? 'Copied' : clipboard.error ? 'Not allowed here' : 'Copy'}
      </Button>
    </span>
  );
}
