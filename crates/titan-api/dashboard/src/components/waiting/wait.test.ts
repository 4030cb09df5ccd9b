import { describe, expect, it } from 'vitest';
import { anEvent, aRun } from '../../test/fixtures';
import { waitInEvents, waitOf, waitOfRun } from './wait';

const UNTIL = '2026-11-21T10:00:03Z';
const asked = anEvent(2, { data: { provider: 'openai', call_id: 'c1' } });
const retrying = anEvent(3, {
  kind: 'step.retrying',
  data: { attempt: 1, max_attempts: 4, error: 'too many requests', retry_at: UNTIL },
});
const started = (seq: number) => anEvent(seq, { kind: 'step.started', data: { attempt: 2 } });

describe('what a run waits for', () => {
  it('is nothing while it works or once it has ended', () => {
    expect(waitOfRun(aRun())).toBeNull();
    expect(waitOfRun(aRun({ status: 'canceled', waiting_on: 'budget' }))).toBeNull();
  });

  it('is told by the last step event, with who was asked', () => {
    expect(waitInEvents([started(1), asked, retrying])).toMatchObject({
      on: 'timer',
      until: UNTIL,
      failed: { attempt: 1, most: 4, error: 'too many requests', provider: 'openai' },
    });
  });

  it('is until a time where it looks again by itself', () => {
    const waiting = (data: object) => anEvent(2, { kind: 'step.waiting', data: { reason: 'no check yet', ...data } });
    expect(waitInEvents([waiting({ on: 'event', until: UNTIL })])).toMatchObject({ on: 'event', until: UNTIL });
    expect(waitInEvents([waiting({ on: 'approval', until: null })])).toMatchObject({ on: 'approval', until: null });
  });

  it('is over when an attempt has begun since', () => {
    expect(waitInEvents([started(1), asked, retrying, started(4)])).toBeNull();
    expect(waitInEvents([])).toBeNull();
  });

  it('names nobody who was asked in an attempt before', () => {
    expect(waitInEvents([asked, started(2), retrying])?.failed?.provider).toBeNull();
  });

  it('is what the run says, in more detail where the events are of the same wait', () => {
    const run = aRun({ waiting_on: 'timer', waiting_reason: 'attempt 1 of 4 failed', waiting_until: UNTIL });
    expect(waitOf(run, [retrying])?.failed?.most).toBe(4);
    const budget = aRun({ waiting_on: 'budget', waiting_reason: 'the budget of the project is used up' });
    expect(waitOf(budget, [retrying])).toMatchObject({ on: 'budget', failed: null });
    expect(waitOf(aRun(), [retrying])).toBeNull();
  });
});
