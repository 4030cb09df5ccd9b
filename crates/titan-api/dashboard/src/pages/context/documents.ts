// What may be given to a project, as far as it can be said before it is sent, and the words for how far it is read.
import type { Document, DocumentState } from '../../api/types';
import { formatBytes } from '../../lib/format';

export const MOST_BYTES = 25 * 1024 * 1024;
export const LIMITS = `Up to ${formatBytes(MOST_BYTES)} each: text, Markdown, HTML, CSV, PDF, Word (docx).`;

/** Why a file is not even sent. */
export function refusal(file: { name: string; size: number }): string | null {
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.size <= MOST_BYTES) return null;
  return `${file.name} has ${formatBytes(file.size)}; at most ${formatBytes(MOST_BYTES)} are possible.`;
}

/** The look of a state, and the word for it. */
export const STATES: Record<DocumentState, { look: string; word: string }> = {
  waiting: { look: 'queued', word: 'Waits to be read' },
  reading: { look: 'running', word: 'Being read' },
  ready: { look: 'completed', word: 'Read' },
  failed: { look: 'failed', word: 'Not readable' },
};

export function textWords(document: Pick<Document, 'text_size' | 'left_out'>): string | null {
  if (document.text_size === null || document.text_size === undefined) return null;
  const text = `${formatBytes(document.text_size)} of text`;
  const left = document.left_out ?? 0;
  return left === 0 ? text : `${text}, ${formatBytes(left)} more are left out`;
}
