// What a run waits for, as one shape: from the run itself, and from its events where they were read, which know more and
// are there sooner.
import type { Run, RunEvent } from '../../api/types';
import { numberField, textField } from '../../lib/fields';

export interface Wait {
  /** `budget`, `timer`, `event` (which may come before its time), or whatever else the engine knows. */
  on: string;
  reason: string;
  since: string | null;
  until: string | null;
  /** Of a retry: the attempt that failed, how many there may be, and who was asked. */
  failed: { attempt: number; most: number; error: string; provider: string | null } | null;
}

const OF_TIME = ['timer', 'child', 'event'];

/** A person has to do something about it, or time and others will. */
export const statusOfWait = (on: string): string => (OF_TIME.includes(on) ? 'retrying' : 'waiting');

export function waitOfRun(run: Run): Wait | null {
  if (run.waiting_on === null || run.status !== 'running') return null;
  const { waiting_on: on, waiting_since: since, waiting_until: until } = run;
  return { on, reason: run.waiting_reason ?? '', since, until, failed: null };
}

/** What the last step said of itself, unless an attempt has begun since. */
export function waitInEvents(events: readonly RunEvent[]): Wait | null {
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    if (event === undefined || event.kind === 'step.started' || event.kind.startsWith('run.')) return null;
    const { data, at: since } = event;
    if (event.kind === 'step.waiting') {
      const on = textField(data, 'on') ?? 'event';
      return { on, reason: textField(data, 'reason') ?? '', since, until: textField(data, 'until'), failed: null };
    }
    if (event.kind === 'step.snoozed') {
      const reason = textField(data, 'reason') ?? '';
      return { on: 'timer', reason, since, until: textField(data, 'until'), failed: null };
    }
    if (event.kind === 'step.retrying') {
      const error = textField(data, 'error') ?? '';
      const attempt = numberField(data, 'attempt') ?? 1;
      const most = numberField(data, 'max_attempts') ?? attempt + 1;
      const provider = providerBefore(events, index);
      const failed = { attempt, most, error, provider };
      return { on: 'timer', reason: error, since, until: textField(data, 'retry_at'), failed };
    }
  }
  return null;
}

/** Who was asked last within the same attempt. */
function providerBefore(events: readonly RunEvent[], end: number): string | null {
  for (let index = end - 1; index >= 0; index -= 1) {
    const event = events[index];
    if (event === undefined || event.kind === 'step.started') return null;
    const provider = event.kind === 'log' ? textField(event.data, 'provider') : null;
    if (provider !== null) return provider;
  }
  return null;
}

/** The server says whether it waits; the events say it in more detail, unless they are of another wait. */
export function waitOf(run: Run, events: readonly RunEvent[]): Wait | null {
  const known = waitOfRun(run);
  const told = waitInEvents(events);
  if (known === null || told === null || told.on !== known.on) return known;
  return { ...told, since: known.since ?? told.since, until: known.until ?? told.until };
}
