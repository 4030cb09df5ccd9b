// How a run stands: its status, or that it waits, since a run that waits does not run.
import type { Run } from '../api/types';
import { Status } from './Status';
import { waitOfRun } from './waiting/wait';

/** A person has to do something about it, or time and others will. */
export const statusOfWait = (on: string): string => (OF_TIME.includes(on) ? 'retrying' : 'waiting');

const OF_TIME = ['timer', 'child', 'event'];

export function RunStatus({ run, iconOnly = false }: { run: Run; iconOnly?: boolean }) {
  const wait = waitOfRun(run);
  return <Status status={wait === null ? run.status : statusOfWait(wait.on)} iconOnly={iconOnly} />;
}
