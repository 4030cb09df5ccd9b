// Files that are being changed and are not saved yet. They outlive the view: another file or tab may be looked at, the
// file may be deleted by somebody else, the page may be loaded anew. Memory has them while the page is open, storage longer.
import { useSyncExternalStore } from 'react';
import { readStored, storedKeys, writeStored } from '../../lib/storage';
import type { TextForm } from './fileText';

export interface FileDraft {
  text: string;
  form: TextForm;
  /** The id that the file had when the change began; null for one that is to be made anew. */
  tag: string | null;
}

interface Known {
  drafts: ReadonlyMap<string, FileDraft>;
  /** Another set only when another file is being changed, not with each letter. */
  paths: ReadonlySet<string>;
}

const projects = new Map<string, Known>();
const listeners = new Set<() => void>();

const prefixOf = (projectId: string) => `titan.file.${projectId}/`;

function known(projectId: string): Known {
  const there = projects.get(projectId);
  if (there) return there;
  const prefix = prefixOf(projectId);
  const drafts = new Map<string, FileDraft>();
  for (const key of storedKeys(prefix)) {
    const draft = parse(readStored(key));
    if (draft) drafts.set(key.slice(prefix.length), draft);
  }
  const read = { drafts, paths: new Set(drafts.keys()) };
  projects.set(projectId, read);
  return read;
}

function parse(stored: string | null): FileDraft | null {
  try {
    const { text, form, tag } = JSON.parse(stored ?? 'null') as FileDraft;
    const whole =
      typeof text === 'string' &&
      typeof form.mark === 'boolean' &&
      ['\n', '\r\n', '\r'].includes(form.end) &&
      (tag === null || typeof tag === 'string');
    return whole ? { text, form, tag } : null;
  } catch {
    return null;
  }
}

/** Null when it was saved or discarded. */
export function keepFileDraft(projectId: string, path: string, draft: FileDraft | null): void {
  const before = known(projectId);
  const drafts = new Map(before.drafts);
  if (draft === null) drafts.delete(path);
  else drafts.set(path, draft);
  const same = before.paths.has(path) === (draft !== null);
  projects.set(projectId, { drafts, paths: same ? before.paths : new Set(drafts.keys()) });
  writeStored(prefixOf(projectId) + path, draft === null ? null : JSON.stringify(draft));
  for (const listener of listeners) listener();
}

/** It has been saved; what was typed while that took place stays. */
export function saved(projectId: string, path: string, text: string): void {
  if (known(projectId).drafts.get(path)?.text === text) keepFileDraft(projectId, path, null);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useFileDraft = (projectId: string, path: string): FileDraft | null =>
  useSyncExternalStore(subscribe, () => known(projectId).drafts.get(path) ?? null);

/** The files that are being changed. */
export const useDraftedFiles = (projectId: string): ReadonlySet<string> =>
  useSyncExternalStore(subscribe, () => known(projectId).paths);
