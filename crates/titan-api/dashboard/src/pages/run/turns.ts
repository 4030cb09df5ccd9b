// What the cards of the turns say in words, and what the events know of a call beside its row.
import type { Call, RunEvent } from '../../api/types';
import { numberField, textField } from '../../lib/fields';

/** What was sent with a call, as far as its events tell. */
export interface Asked {
  messages: number | null;
}

/** By the id of the call. */
export function readAsked(events: readonly RunEvent[]): Map<string, Asked> {
  const found = new Map<string, Asked>();
  for (const event of events) {
    const id = event.kind === 'log' ? textField(event.data, 'call_id') : null;
    if (id !== null) found.set(id, { messages: numberField(event.data, 'messages') });
  }
  return found;
}

/** The call that a fallback stands in for: the last one of the same step and purpose that was asked first. */
export function wantedBefore(calls: readonly Call[], index: number): Call | null {
  const call = calls[index];
  if (call === undefined || call.fallback === 0) return null;
  for (let before = index - 1; before >= 0; before -= 1) {
    const other = calls[before];
    if (other && other.step === call.step && other.purpose === call.purpose && other.fallback === 0) return other;
  }
  return null;
}

export const PURPOSES: Record<Call['purpose'], string> = {
  answer: 'Answer',
  memory: 'What to remember',
  summary: 'Summary of the talk so far',
};

export const CALL_STATES: Record<Call['state'], { status: string; label: string }> = {
  open: { status: 'running', label: 'Under way' },
  answered: { status: 'completed', label: 'Answered' },
  failed: { status: 'failed', label: 'Failed' },
  canceled: { status: 'canceled', label: 'Stopped' },
  lost: { status: 'lost', label: 'Lost' },
};
