// One unsent message per project. The draft owns the Idempotency-Key of its send: pressing Send twice, in two tabs or
// again after a lost answer creates one task. A text changed after an attempt is another request and gets another key.
import { randomId } from './ids';
import { readStored, writeStored } from './storage';

export interface Draft {
  text: string;
  key: string;
  /** The text of the last send attempt whose outcome is not known to be a success. */
  attempted: string | null;
}

const storageKey = (projectId: string) => `titan.draft.${projectId}`;

export const emptyDraft = (): Draft => ({ text: '', key: randomId(), attempted: null });

export function loadDraft(projectId: string): Draft {
  const stored = readStored(storageKey(projectId));
  if (stored === null) return emptyDraft();
  try {
    const value: unknown = JSON.parse(stored);
    if (typeof value !== 'object' || value === null) return emptyDraft();
    const { text, key, attempted } = value as Partial<Draft>;
    if (typeof text !== 'string' || typeof key !== 'string' || key === '') return emptyDraft();
    return { text, key, attempted: typeof attempted === 'string' ? attempted : null };
  } catch {
    return emptyDraft();
  }
}

export function saveDraft(projectId: string, draft: Draft): void {
  const worthKeeping = draft.text !== '' || draft.attempted !== null;
  writeStored(storageKey(projectId), worthKeeping ? JSON.stringify(draft) : null);
}

/** The draft as it must be stored before it is sent. */
export function prepareSend(draft: Draft): Draft {
  const content = draft.text.trim();
  const changed = draft.attempted !== null && draft.attempted !== content;
  return { text: draft.text, key: changed ? randomId() : draft.key, attempted: content };
}
