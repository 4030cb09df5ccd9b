// Whether what is on the screen is live, and since when it is not. It reads like a sentence to a screen reader.
import { Button, Popover, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useNow } from '../lib/clock';
import { formatClock } from '../lib/format';
import { useConnection, useLive } from '../live/hooks';
import type { Connection } from '../live/protocol';
import classes from './ConnectionPill.module.css';

interface Look {
  family: string;
  label: string;
  detail: string;
}

export function describeConnection(connection: Connection, now: number): Look {
  const wait = 'retryAt' in connection ? Math.max(0, Math.ceil((connection.retryAt - now) / 1000)) : 0;
  const next = wait > 0 ? `The next try is in ${wait} s.` : 'Trying now.';
  switch (connection.kind) {
    case 'live':
      return { family: 'good', label: 'Live', detail: 'Changes appear by themselves.' };
    case 'connecting':
      return { family: 'idle', label: 'Connecting', detail: 'The live connection is being opened.' };
    case 'reconnecting':
      return { family: 'person', label: 'Reconnecting', detail: `The live connection broke. ${next}` };
    case 'polling':
      return {
        family: 'person',
        label: 'Live by polling',
        detail: 'Titan answers, but its live stream does not get through. The page asks every 5 s instead.',
      };
    case 'offline':
      return {
        family: 'bad',
        label: `Offline, data from ${formatClock(connection.since)}`,
        detail: `Titan cannot be reached. What you see may be old; what you typed is kept. ${next}`,
      };
  }
}

export function ConnectionPill() {
  const connection = useConnection();
  const client = useLive();
  const now = useNow();
  const [opened, { toggle, close }] = useDisclosure(false);
  const look = describeConnection(connection, now);
  const waits = connection.kind === 'offline' || connection.kind === 'reconnecting' || connection.kind === 'polling';
  return (
    <Popover opened={opened} onDismiss={close} position="bottom-end" shadow="md" width={280} trapFocus>
      <Popover.Target>
        <UnstyledButton
          className={classes.pill}
          data-family={look.family}
          data-state={connection.kind}
          data-testid="connection"
          onClick={toggle}
          aria-label={`Connection: ${look.label}`}
        >
          <span className={classes.dot} aria-hidden="true" />
          <span className={classes.text}>{look.label}</span>
        </UnstyledButton>
      </Popover.Target>
      <span className="sr-only" role="status">
        {look.label}
      </span>
      <Popover.Dropdown>
        <p className={classes.detail}>{look.detail}</p>
        {waits && (
          <Button size="compact-sm" variant="default" onClick={client.reconnectNow}>
            Reconnect now
          </Button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
