// What the cards of the turns say in words, and what the events know of a call beside its row.
import type { Call, RunEvent } from '../../api/types';
import { numberField, textField } from '../../lib/fields';

/** What was sent with a call, as far as its events tell. */
export interface Asked {
  messages: number | null;
  /** Estimated tokens of the instructions with what is remembered, of what was said before, and of the last message. */
  parts: { system: number; history: number; last: number; images: number } | null;
}

/** By the id of the call. */
export function readAsked(events: readonly RunEvent[]): Map<string, Asked> {
  const found = new Map<string, Asked>();
  for (const event of events) {
    const id = event.kind === 'log' ? textField(event.data, 'call_id') : null;
    if (id !== null) found.set(id, { messages: numberField(event.data, 'messages'), parts: readParts(event.data) });
  }
  return found;
}

function readParts(data: unknown): Asked['parts'] {
  const [system, history, last] = ['system_tokens', 'history_tokens', 'last_tokens'].map((name) =>
    numberField(data, name),
  );
  if (system == null || history == null || last == null) return null;
  return { system, history, last, images: numberField(data, 'images') ?? 0 };
}

/** What was sent with a call, in a sentence. */
export function askedText({ messages, parts }: Asked): string | null {
  if (messages === null) return null;
  const count = messages === 1 ? '1 message' : `${messages} messages`;
  if (parts === null) return `Sent with it: ${count}`;
  const tokens = (value: number) => value.toLocaleString('en-US');
  const images = parts.images > 0 ? `, ${parts.images === 1 ? '1 image' : `${parts.images} images`}` : '';
  return (
    `Sent with it: ${count}, about ${tokens(parts.system)} tokens of instructions and memory, ` +
    `${tokens(parts.history)} of what was said before, ${tokens(parts.last)} of the message itself${images}`
  );
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
  plan: 'Plan',
};

export const CALL_STATES: Record<Call['state'], { status: string; label: string }> = {
  open: { status: 'running', label: 'Under way' },
  answered: { status: 'completed', label: 'Answered' },
  failed: { status: 'failed', label: 'Failed' },
  canceled: { status: 'canceled', label: 'Stopped' },
  lost: { status: 'lost', label: 'Lost' },
};
