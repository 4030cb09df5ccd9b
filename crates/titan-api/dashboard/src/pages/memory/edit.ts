// The fields of a memory as a person edits them, and the change that they come to.
import type { Memory, MemoryPatch, MemoryScope } from '../../api/types';

export interface MemoryText {
  content: string;
  scope: MemoryScope;
  agent: string;
  person: string;
  /** Per cent. */
  confidence: string;
  /** A day such as 2027-01-31, or nothing for never. */
  until: string;
  pinned: boolean;
}

export const textOf = (memory: Memory): MemoryText => ({
  content: memory.content,
  scope: memory.scope,
  agent: memory.agent ?? '',
  person: memory.person ?? '',
  confidence: String(Math.round(memory.confidence * 100)),
  until: memory.expires_at === null ? '' : dayOf(memory.expires_at),
  pinned: memory.pinned,
});

/** The day in the person's own time zone. */
function dayOf(iso: string): string {
  const at = new Date(iso);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export type Problems = Partial<Record<keyof MemoryText, string>>;

export function problemsOf(text: MemoryText, memory: Memory, now: number): Problems {
  const problems: Problems = {};
  if (text.content.trim() === '') problems.content = 'Write what is to be remembered.';
  if (text.scope === 'agent' && text.agent.trim() === '') problems.agent = 'Name the agent, for example jason.';
  const confidence = Number(text.confidence);
  if (text.confidence.trim() === '' || !Number.isFinite(confidence) || confidence < 0 || confidence > 100) {
    problems.confidence = 'A number from 0 to 100.';
  }
  const changed = text.until !== textOf(memory).until;
  if (changed && text.until !== '' && !(endOf(text.until).getTime() > now)) {
    problems.until = 'A day that is not over yet, or nothing for never.';
  }
  return problems;
}

/** The whole day counts. */
const endOf = (day: string) => new Date(`${day}T23:59:59`);

/** Only what was changed, so that nobody else's change to the rest is undone. */
export function patchOf(text: MemoryText, memory: Memory): MemoryPatch {
  const before = textOf(memory);
  const patch: MemoryPatch = {};
  const [content, person, agent] = [text.content.trim(), text.person.trim(), text.agent.trim()];
  if (content !== memory.content) patch.content = content;
  if (text.scope !== memory.scope) patch.scope = text.scope;
  if (text.scope === 'agent' && agent !== before.agent) patch.agent = agent;
  if (person !== before.person) patch.person = person === '' ? null : person;
  if (text.confidence !== before.confidence) patch.confidence = Number(text.confidence) / 100;
  if (text.until !== before.until) patch.expires_at = text.until === '' ? null : endOf(text.until).toISOString();
  if (text.pinned !== memory.pinned) patch.pinned = text.pinned;
  return patch;
}
