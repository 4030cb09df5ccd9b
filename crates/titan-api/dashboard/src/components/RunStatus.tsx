// How a run stands: its status, or that it waits, since a run that waits does not run.
import type { Run } from '../api/types';
import { Status } from './Status';
import { statusOfWait, waitOfRun } from './waiting/wait';

export function RunStatus({ run, iconOnly = false }: { run: Run; iconOnly?: boolean }) {
  const wait = waitOfRun(run);
  return <Status status={wait === null ? run.status : statusOfWait(wait.on)} iconOnly={iconOnly} />;
}
