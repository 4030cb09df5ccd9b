// How a run stands: its status, or that it waits, since a run that waits does not run.
import type { Run } from '../api/types';
import { Status } from './Status';
import { waitOfRun } from './waiting/wait';

export function RunStatus({ run }: { run: Run }) {
  const wait = waitOfRun(run);
  if (wait === null) return <Status status={run.status} />;
  return <Status status={wait.on === 'timer' || wait.on === 'child' ? 'retrying' : 'waiting'} />;
}
