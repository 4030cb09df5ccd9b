// At most one banner: the most serious thing that concerns every page. The rest opens on demand.
import { UnstyledButton } from '@mantine/core';
import { IconAlertOctagon, IconAlertTriangle, IconInfoCircle, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Rollout, Setup } from '../api/types';
import { rolloutsQuery } from '../data/ops';
import { setupQuery } from '../data/queries';
import { formatClock } from '../lib/format';
import { useConnection, useLive } from '../live/hooks';
import type { Connection } from '../live/protocol';
import classes from './Banner.module.css';

interface Notice {
  code: 'offline' | 'rollback_failed' | 'no_worker' | 'offline_answers';
  family: 'bad' | 'person' | 'idle';
  text: string;
  /** The proposal that it is about. */
  proposalId?: string;
}

/** Most serious first. */
export function notices(connection: Connection, setup: Setup | undefined, rollouts: Rollout[] = []): Notice[] {
  const found: Notice[] = [];
  if (connection.kind === 'offline') {
    const since = formatClock(connection.since);
    found.push({
      code: 'offline',
      family: 'bad',
      text: `Titan cannot be reached since ${since}. It is tried again by itself.`,
    });
  }
  for (const { target, proposal_id: proposalId } of failedRollbacks(rollouts)) {
    found.push({
      code: 'rollback_failed',
      family: 'bad',
      text: `A rollback on ${target} has failed, and a person has to look. docs/OPS.md says what to do, under “A rollback failed”.`,
      proposalId,
    });
  }
  if (setup && !setup.worker_running) {
    found.push({
      code: 'no_worker',
      family: 'person',
      text: 'No worker is running. Tasks are kept and wait until one starts.',
    });
  }
  if (setup?.default_provider === 'offline') {
    found.push({
      code: 'offline_answers',
      family: 'idle',
      text: 'No model provider is configured: you get offline answers, made without a model.',
    });
  }
  return found;
}

/** Of each target the rollout counts that was moved last: none begins after a failure before production is well again. */
function failedRollbacks(rollouts: Rollout[]): Rollout[] {
  const isLast = (one: Rollout) =>
    rollouts.every(
      (other) => other.target !== one.target || Date.parse(other.updated_at) <= Date.parse(one.updated_at),
    );
  return rollouts.filter((rollout) => rollout.state === 'rollback_failed' && isLast(rollout));
}

const ICONS = {
  offline: IconPlugConnectedX,
  rollback_failed: IconAlertOctagon,
  no_worker: IconAlertTriangle,
  offline_answers: IconInfoCircle,
};

export function Banner() {
  const connection = useConnection();
  const { data } = useQuery(setupQuery());
  const { data: rollouts } = useQuery(rolloutsQuery());
  const [open, setOpen] = useState(false);
  const all = notices(connection, data, rollouts);
  const shown = open ? all : all.slice(0, 1);
  if (shown.length === 0) return null;
  return (
    <div role="status">
      {shown.map((notice, index) => (
        <div
          key={`${notice.code} ${notice.proposalId ?? ''}`}
          className={classes.banner}
          data-family={notice.family}
          data-testid={`banner-${notice.code}`}
        >
          <Icon code={notice.code} />
          <span className={classes.text}>{notice.text}</span>
          <Action code={notice.code} proposalId={notice.proposalId} />
          {index === 0 && all.length > 1 && (
            <UnstyledButton className={classes.more} aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? 'Less' : `${all.length - 1} more`}
            </UnstyledButton>
          )}
        </div>
      ))}
    </div>
  );
}

function Icon({ code }: { code: Notice['code'] }) {
  const Glyph = ICONS[code];
  return <Glyph size={16} aria-hidden className={classes.icon ?? ''} />;
}

function Action({ code, proposalId }: Pick<Notice, 'code'> & { proposalId: string | undefined }) {
  const client = useLive();
  if (code === 'offline') {
    return (
      <UnstyledButton className={classes.more} onClick={client.reconnectNow}>
        Reconnect now
      </UnstyledButton>
    );
  }
  if (proposalId !== undefined) {
    return (
      <Link to="/ops/$proposalId" params={{ proposalId }} search={{ view: 'rollout' }} className={classes.more}>
        See the rollout
      </Link>
    );
  }
  return (
    <Link to="/system" className={classes.more}>
      {code === 'no_worker' ? 'How to start one' : 'Set one up'}
    </Link>
  );
}
