// The workers that have reported of late. Without one, the command that starts one.
import type { WorkerHealth } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { ScrollBox } from '../../components/ScrollBox';
import { Status } from '../../components/Status';
import { shortId } from '../../lib/format';
import { Command } from './Command';
import classes from './SystemPage.module.css';

/** A worker that reports is well; the turning mark of a running task would say something else. */
const ALIVE = { status: 'healthy', label: 'Running' };

export function WorkerTable({ health }: { health: WorkerHealth }) {
  return (
    <>
      {!health.running && (
        <div className={classes.notice} data-testid="no-worker">
          <p>
            <strong>No worker is running.</strong>{' '}
            {health.last_heartbeat ? (
              <>
                The last one reported <Age at={health.last_heartbeat} />.
              </>
            ) : (
              'None has ever reported.'
            )}{' '}
            Tasks are kept and start as soon as one runs. <code>make start</code> runs one beside the server; by itself
            it is started with:
          </p>
          <Command text="titan-worker run" />
        </div>
      )}
      {health.workers.length === 0 ? (
        <Empty title="No worker is known" />
      ) : (
        <ScrollBox className={classes.tableBox} label="Workers">
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Name</th>
                <th scope="col">Slots</th>
                <th scope="col">Serves</th>
                <th scope="col">Works on</th>
                <th scope="col">Last signal</th>
                <th scope="col">Version</th>
              </tr>
            </thead>
            <tbody>
              {health.workers.map((worker) => (
                <tr key={worker.id} data-testid="worker-row">
                  <td>
                    <Status {...(worker.status === 'running' ? ALIVE : { status: worker.status })} />
                  </td>
                  <td>
                    {worker.name}
                    <div className={classes.muted}>
                      {worker.host}, process {worker.pid}
                    </div>
                  </td>
                  <td className="tnum">
                    {worker.running} of {worker.slots}
                  </td>
                  <td>{worker.kinds.join(', ')}</td>
                  <td>
                    {worker.current_tasks.length === 0 ? (
                      <span className={classes.muted}>nothing</span>
                    ) : (
                      <span className="mono">{worker.current_tasks.slice(0, 5).map(shortId).join(', ')}</span>
                    )}
                    {worker.current_tasks.length > 5 && ` and ${worker.current_tasks.length - 5} more`}
                  </td>
                  <td>
                    <Age at={worker.heartbeat_at} />
                  </td>
                  <td>{worker.version}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </>
  );
}
