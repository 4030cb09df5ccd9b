// One row for each queue: whether it runs, what stands in it, what it got done of late, and the switch that stops it.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { JobFilter } from '../../api/calls';
import type { Queue } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { ScrollBox } from '../../components/ScrollBox';
import { Status } from '../../components/Status';
import table from '../../components/Table.module.css';
import { useResumeQueue } from '../../data/queueActions';
import { formatDuration } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { MinuteStrip } from './MinuteStrip';
import { PauseDialog } from './PauseDialog';
import classes from './QueuePage.module.css';

const DEPTHS = ['ready', 'scheduled', 'waiting', 'running'] as const;

export function QueueTable({ queues }: { queues: Queue[] }) {
  const [pausing, setPausing] = useState<string | null>(null);
  if (queues.length === 0) return <Empty title="There is no queue">Titan makes its own when it starts.</Empty>;
  return (
    <>
      <ScrollBox className={table.tableBox} label="Queues">
        <table className={`${table.table} ${table.dense}`}>
          <thead>
            <tr>
              <th scope="col">Queue</th>
              {DEPTHS.map((depth) => (
                <th key={depth} scope="col" className={table.num}>
                  {depth[0]?.toUpperCase()}
                  {depth.slice(1)}
                </th>
              ))}
              <th scope="col">Oldest ready</th>
              <th scope="col">Last 15 minutes</th>
              <th scope="col" className={table.num}>
                Dead letters
              </th>
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {queues.map((queue) => (
              <QueueRow key={queue.name} queue={queue} onPause={() => setPausing(queue.name)} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      {pausing !== null && <PauseDialog name={pausing} onClose={() => setPausing(null)} />}
    </>
  );
}

function QueueRow({ queue, onPause }: { queue: Queue; onPause: () => void }) {
  const resume = useResumeQueue();
  const offline = useOffline();
  return (
    <tr data-testid="queue-row" data-queue={queue.name}>
      <th scope="row" className={classes.rowName}>
        {queue.name}
        <QueueState queue={queue} />
      </th>
      {DEPTHS.map((depth) => (
        <td key={depth} className={table.num} data-depth={depth}>
          <Count count={queue[depth]} state={depth} queue={queue.name} word={depth} />
        </td>
      ))}
      <td className={`tnum ${classes.still}`} data-testid="oldest-ready">
        {queue.ready === 0 || queue.oldest_ready_seconds === null ? (
          <span className={table.muted}>none waits</span>
        ) : (
          formatDuration(queue.oldest_ready_seconds * 1000)
        )}
      </td>
      <td>
        <MinuteStrip minutes={queue.minutes} />
      </td>
      <td className={table.num} data-depth="dead">
        <Count count={queue.dead} state="dead" queue={queue.name} word="dead" />
      </td>
      <td className={classes.rowActions}>
        {queue.paused_at === null ? (
          <Button
            size="compact-sm"
            variant="default"
            disabled={offline}
            onClick={onPause}
            aria-label={`Pause ${queue.name}`}
          >
            Pause
          </Button>
        ) : (
          <Button
            size="compact-sm"
            disabled={offline}
            loading={resume.isPending}
            onClick={() => resume.mutate(queue.name)}
            aria-label={`Resume ${queue.name}`}
          >
            Resume
          </Button>
        )}
      </td>
    </tr>
  );
}

function QueueState({ queue }: { queue: Queue }) {
  if (queue.paused_at === null) {
    return (
      <div className={classes.state}>
        <Status status="healthy" label="Running" />
      </div>
    );
  }
  return (
    <div className={classes.state}>
      <Status status="paused" />
      <div className={table.muted}>
        since <Age at={queue.paused_at} />
        {queue.paused_reason && <div className={classes.reason}>{queue.paused_reason}</div>}
      </div>
    </div>
  );
}

interface CountProps {
  count: number;
  state: NonNullable<JobFilter['state']>;
  queue: string;
  word: string;
}

/** A number leads to the jobs that it counts. */
function Count({ count, state, queue, word }: CountProps) {
  if (count === 0) return <span className={classes.none}>0</span>;
  return (
    <Link
      to="/queue"
      search={{ state, queue }}
      hash="jobs"
      resetScroll={false}
      aria-label={`${count.toLocaleString('en')} ${word} in ${queue}, show`}
    >
      {count.toLocaleString('en')}
    </Link>
  );
}
