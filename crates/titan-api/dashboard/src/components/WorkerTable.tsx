// The workers that have reported of late, for every page that shows them. Without one, the command that starts one.
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Worker, WorkerHealth } from '../api/types';
import { plural, shortId } from '../lib/format';
import { Age } from './Age';
import { Command } from './Command';
import { Empty } from './Empty';
import { ScrollBox } from './ScrollBox';
import { Status } from './Status';
import table from './Table.module.css';
import classes from './WorkerTable.module.css';

/** A worker that reports is well; the turning mark of a running task would say something else. */
const ALIVE = { status: 'healthy', label: 'Running' };
const TASKS_SHOWN = 5;

export function WorkerTable({ health }: { health: WorkerHealth }) {
  const [all, setAll] = useState(false);
  // Those that ended as they should only take up room after a few restarts; a lost one is always shown.
  const stopped = health.workers.filter((worker) => worker.status === 'stopped').length;
  const shown = all ? health.workers : health.workers.filter((worker) => worker.status !== 'stopped');
  return (
    <>
      {!health.running && <NoWorker lastHeartbeat={health.last_heartbeat} />}
      {health.workers.length === 0 && <Empty title="No worker is known" />}
      {shown.length > 0 && (
        <ScrollBox className={table.tableBox} label="Workers">
          <table className={`${table.table} ${table.dense}`}>
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Name</th>
                <th scope="col">Slots</th>
                <th scope="col">Works on</th>
                <th scope="col">Serves</th>
                <th scope="col">Since it started</th>
                <th scope="col">Last signal</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((worker) => (
                <WorkerRow key={worker.id} worker={worker} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
      {stopped > 0 && (
        <Button
          className={classes.more ?? ''}
          size="compact-sm"
          variant="subtle"
          aria-expanded={all}
          onClick={() => setAll(!all)}
        >
          {all
            ? 'Hide those that have stopped'
            : `Show ${plural(stopped, 'worker')} that ${stopped === 1 ? 'has' : 'have'} stopped`}
        </Button>
      )}
    </>
  );
}

function WorkerRow({ worker }: { worker: Worker }) {
  return (
    <tr data-testid="worker-row">
      <td>
        <Status {...(worker.status === 'running' ? ALIVE : { status: worker.status })} />
      </td>
      <td>
        {worker.name}
        <div className={table.muted}>
          {worker.host}, process {worker.pid}, version {worker.version}
        </div>
      </td>
      <td>
        <Slots running={worker.running} slots={worker.slots} />
      </td>
      <td>
        {worker.current_tasks.length === 0 ? (
          <span className={table.muted}>nothing</span>
        ) : (
          <span className="mono">{worker.current_tasks.slice(0, TASKS_SHOWN).map(shortId).join(', ')}</span>
        )}
        {worker.current_tasks.length > TASKS_SHOWN && ` and ${worker.current_tasks.length - TASKS_SHOWN} more`}
      </td>
      <td>
        {worker.queues.join(', ')}
        <div className={table.muted}>{worker.kinds.join(', ')}</div>
      </td>
      <td>
        <Counts stats={worker.stats} />
      </td>
      <td className={classes.signal}>
        <Age at={worker.heartbeat_at} />
      </td>
    </tr>
  );
}

/** The words say it all; the bar only makes a busy worker stand out. */
function Slots({ running, slots }: { running: number; slots: number }) {
  const share = slots > 0 ? Math.min(100, (running / slots) * 100) : 0;
  return (
    <div className={classes.slots}>
      <span className="tnum">
        {running} of {slots}
      </span>
      <span className={classes.bar} aria-hidden="true">
        <span className={classes.used} style={{ width: `${share}%` }} />
      </span>
    </div>
  );
}

function Counts({ stats }: { stats: Worker['stats'] }) {
  const number = (value: number) => value.toLocaleString('en');
  return (
    <div className="tnum">
      {number(stats.finished)} finished
      <div className={table.muted}>
        {number(stats.failed)} failed, {number(stats.rescued)} rescued, {number(stats.fenced)} fenced off
      </div>
    </div>
  );
}

function NoWorker({ lastHeartbeat }: { lastHeartbeat: string | null }) {
  return (
    <div className={classes.notice} data-testid="no-worker">
      <p>
        <strong>No worker is running.</strong>{' '}
        {lastHeartbeat ? (
          <>
            The last one reported <Age at={lastHeartbeat} />.
          </>
        ) : (
          'None has ever reported.'
        )}{' '}
        Tasks are kept and start as soon as one runs. <code>make start</code> runs one beside the server; by itself it
        is started with:
      </p>
      <Command text="titan-worker run" />
    </div>
  );
}
