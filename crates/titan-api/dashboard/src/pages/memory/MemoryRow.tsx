// One memory: what it says, whose word it is, how long it holds, and what can be done with it.
import { ActionIcon } from '@mantine/core';
import { IconPencil, IconPin, IconPinnedFilled, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Memory } from '../../api/types';
import { Age } from '../../components/Age';
import { usePinMemory } from '../../data/memoryActions';
import { useNow } from '../../lib/clock';
import { formatAhead, formatExact, plural, shortId } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import classes from './Memory.module.css';
import { confidenceWords, trustWords } from './words';

interface MemoryRowProps {
  projectId: string;
  memory: Memory;
  /** Why it was found. */
  why?: string;
  onEdit: (memory: Memory) => void;
  onForget: (memory: Memory) => void;
}

export function MemoryRow({ projectId, memory, why, onEdit, onForget }: MemoryRowProps) {
  const offline = useOffline();
  const pin = usePinMemory(projectId);
  const short = memory.content.slice(0, 80);
  const PinIcon = memory.pinned ? IconPinnedFilled : IconPin;
  const button = { variant: 'subtle', color: 'gray', size: 32, disabled: offline } as const;
  return (
    <li className={classes.row} data-testid="memory-row" data-pinned={memory.pinned} data-scope={memory.scope}>
      <div className={classes.text}>
        <p className={classes.content}>{memory.content}</p>
        <Facts projectId={projectId} memory={memory} why={why} />
      </div>
      <ActionIcon
        {...button}
        aria-pressed={memory.pinned}
        loading={pin.isPending}
        onClick={() => pin.mutate(memory)}
        aria-label={`Pin: ${short}`}
      >
        <PinIcon size={17} />
      </ActionIcon>
      <ActionIcon {...button} onClick={() => onEdit(memory)} aria-label={`Edit: ${short}`}>
        <IconPencil size={17} />
      </ActionIcon>
      <ActionIcon {...button} onClick={() => onForget(memory)} aria-label={`Forget: ${short}`}>
        <IconTrash size={17} />
      </ActionIcon>
    </li>
  );
}

function Facts({ projectId, memory, why }: { projectId: string; memory: Memory; why: string | undefined }) {
  return (
    <p className={classes.facts}>
      {why !== undefined && <span data-testid="memory-why">{why}</span>}
      <span data-trust={memory.trust}>{trustWords(memory.trust)}</span>
      <span title={`Confidence ${Math.round(memory.confidence * 100)} %`}>{confidenceWords(memory.confidence)}</span>
      {memory.person !== null && <span>about {memory.person}</span>}
      {memory.source_run_id ? (
        <Link to="/runs/$runId" params={{ runId: memory.source_run_id }}>
          Run {shortId(memory.source_run_id)}
        </Link>
      ) : (
        <span>added by hand</span>
      )}
      {memory.project_id !== projectId && (
        <Link to="/projects/$projectId/output" params={{ projectId: memory.project_id }} search={{ segment: 'memory' }}>
          from another project
        </Link>
      )}
      <Age at={memory.created_at} />
      {memory.expires_at !== null && <Expiry at={memory.expires_at} />}
      <span className="tnum">
        {memory.use_count === 0 ? 'not used yet' : `used ${plural(memory.use_count, 'time')}`}
      </span>
    </p>
  );
}

function Expiry({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={formatExact(at)}>
      expires {formatAhead(at, now)}
    </time>
  );
}
