// A state as colour, icon and word, never colour alone.
import {
  IconAlertOctagon,
  IconArrowBackUp,
  IconBan,
  IconCircle,
  IconCircleCheck,
  IconDiamondFilled,
  IconHourglass,
  IconLoader2,
  IconLock,
  IconPlayerPause,
  IconPlayerSkipForward,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import classes from './Status.module.css';

export type Family = 'idle' | 'working' | 'person' | 'good' | 'bad';
type Icon = ComponentType<{ size?: number; stroke?: number; className?: string; 'aria-hidden'?: boolean }>;

interface Look {
  family: Family;
  icon: Icon;
  word: string;
  turning?: boolean;
}

const LOOKS: Record<string, Look> = {
  pending: { family: 'idle', icon: IconCircle, word: 'To do' },
  queued: { family: 'idle', icon: IconHourglass, word: 'Queued' },
  ready: { family: 'idle', icon: IconCircle, word: 'Ready' },
  running: { family: 'working', icon: IconLoader2, word: 'Running', turning: true },
  starting: { family: 'working', icon: IconLoader2, word: 'Starting', turning: true },
  in_progress: { family: 'working', icon: IconLoader2, word: 'In progress', turning: true },
  paused: { family: 'working', icon: IconPlayerPause, word: 'Paused' },
  waiting: { family: 'person', icon: IconLock, word: 'Waiting' },
  retrying: { family: 'working', icon: IconHourglass, word: 'Waiting' },
  blocked: { family: 'person', icon: IconLock, word: 'Blocked' },
  review: { family: 'person', icon: IconDiamondFilled, word: 'To review' },
  waiting_for_approval: { family: 'person', icon: IconDiamondFilled, word: 'Needs approval' },
  inconclusive: { family: 'person', icon: IconDiamondFilled, word: 'Inconclusive' },
  canary: { family: 'working', icon: IconLoader2, word: 'Canary', turning: true },
  promoting: { family: 'working', icon: IconLoader2, word: 'Promoting', turning: true },
  rolling_back: { family: 'working', icon: IconArrowBackUp, word: 'Rolling back' },
  completed: { family: 'good', icon: IconCircleCheck, word: 'Completed' },
  approved: { family: 'good', icon: IconCircleCheck, word: 'Approved' },
  healthy: { family: 'good', icon: IconCircleCheck, word: 'Healthy' },
  done: { family: 'good', icon: IconCircleCheck, word: 'Done' },
  promoted: { family: 'good', icon: IconCircleCheck, word: 'Promoted' },
  failed: { family: 'bad', icon: IconAlertOctagon, word: 'Failed' },
  failing: { family: 'bad', icon: IconAlertOctagon, word: 'Failing' },
  rejected: { family: 'bad', icon: IconAlertOctagon, word: 'Rejected' },
  rollback_failed: { family: 'bad', icon: IconAlertOctagon, word: 'Rollback failed' },
  lost: { family: 'bad', icon: IconAlertOctagon, word: 'Lost' },
  canceled: { family: 'idle', icon: IconBan, word: 'Canceled' },
  rolled_back: { family: 'idle', icon: IconArrowBackUp, word: 'Rolled back' },
  stopped: { family: 'idle', icon: IconBan, word: 'Stopped' },
  skipped: { family: 'idle', icon: IconPlayerSkipForward, word: 'Skipped' },
};

interface StatusProps {
  status: string;
  /** Another word for the same look, where the plain one would mislead. */
  label?: string | undefined;
  iconOnly?: boolean;
}

export function lookOf(status: string): Look {
  return LOOKS[status] ?? { family: 'idle', icon: IconCircle, word: status.replaceAll('_', ' ') };
}

export function Status({ status, label, iconOnly = false }: StatusProps) {
  const look = lookOf(status);
  const word = label ?? look.word;
  const icon = (
    <look.icon
      size={15}
      stroke={2}
      aria-hidden
      className={look.turning ? (classes.turning ?? '') : (classes.icon ?? '')}
    />
  );
  return (
    <span className={classes.status} data-family={look.family} data-status={status} data-testid="status">
      {icon}
      <span className={iconOnly ? 'sr-only' : undefined}>{word}</span>
    </span>
  );
}
