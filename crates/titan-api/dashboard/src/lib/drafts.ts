// One unsent message per project. The draft owns the Idempotency-Key of its send: pressing Send twice, in two tabs or
// again after a lost answer creates one task. What is changed after an attempt is another request and gets another key.
import type { Attachment } from '../api/types';
import { randomId } from './ids';
import { readStored, writeStored } from './storage';

export interface Draft {
  text: string;
  /** What was sent to the server already, to go with the message. */
  files: Attachment[];
  key: string;
  /** What the last send attempt said whose outcome is not known to be a success. */
  attempted: string | null;
}

const storageKey = (projectId: string) => `titan.draft.${projectId}`;

export const emptyDraft = (): Draft => ({ text: '', files: [], key: randomId(), attempted: null });

export function loadDraft(projectId: string): Draft {
  const stored = readStored(storageKey(projectId));
  if (stored === null) return emptyDraft();
  try {
    const value: unknown = JSON.parse(stored);
    if (typeof value !== 'object' || value === null) return emptyDraft();
    const { text, files, key, attempted } = value as Partial<Draft>;
    if (typeof text !== 'string' || typeof key !== 'string' || key === '') return emptyDraft();
    return {
      text,
      files: Array.isArray(files) ? files : [],
      key,
      attempted: typeof attempted === 'string' ? attempted : null,
    };
  } catch {
    return emptyDraft();
  }
}

export function saveDraft(projectId: string, draft: Draft): void {
  const worthKeeping = draft.text !== '' || draft.files.length > 0 || draft.attempted !== null;
  writeStored(storageKey(projectId), worthKeeping ? JSON.stringify(draft) : null);
}

/** The draft as it must be stored before it is sent; `said` is all that the request will say. */
export function prepareSend(draft: Draft, said = draft.text.trim()): Draft {
  const changed = draft.attempted !== null && draft.attempted !== said;
  return { ...draft, key: changed ? randomId() : draft.key, attempted: said };
}
