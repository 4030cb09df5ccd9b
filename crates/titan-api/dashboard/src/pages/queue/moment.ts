// The time that matters about a job: when it begins, since when it waits or runs, or when it ended.
import type { Job } from '../../api/types';
import { formatAge, formatAhead } from '../../lib/format';

export interface Moment {
  at: string;
  words: string;
}

type Timed = Pick<Job, 'state' | 'run_at' | 'created_at' | 'finished_at' | 'attempt'>;

export function momentOf(job: Timed, now: number): Moment {
  const since = (at: string, what: string) => ({ at, words: `${what} ${formatAge(at, now)}` });
  switch (job.state) {
    case 'scheduled': {
      const at = job.run_at ?? job.created_at;
      return { at, words: `${job.attempt > 0 ? 'next try' : 'begins'} ${formatAhead(at, now)}` };
    }
    case 'ready':
      return since(job.run_at ?? job.created_at, 'since');
    case 'waiting':
    case 'running':
      return since(job.created_at, 'came');
    default:
      return since(job.finished_at ?? job.created_at, 'ended');
  }
}
