// The words beside an event: its message, the streamed piece, or its data as one line.
import type { RunEvent } from '../../api/types';
import { textField } from '../../lib/fields';

const LONGEST = 400;

export function eventText(event: RunEvent): string {
  if (event.message !== null) return event.message;
  if (event.kind === 'delta') return textField(event.data, 'text') ?? '';
  if (typeof event.data !== 'object' || event.data === null) return '';
  const pairs = Object.entries(event.data).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const text = pairs.join(' ');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
