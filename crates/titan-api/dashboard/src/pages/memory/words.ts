// What the numbers and codes of a memory mean, in words.
import type { Memory, MemoryHit, MemoryScope } from '../../api/types';

export const SCOPES: { value: MemoryScope; label: string; seen: string }[] = [
  { value: 'project', label: 'This project', seen: 'Every run in this project is shown these.' },
  { value: 'agent', label: 'Single agents', seen: 'Only runs of the agent are shown these.' },
  { value: 'global', label: 'Every project', seen: 'Runs of all projects are shown these.' },
];

const TRUST: Record<Memory['trust'], string> = {
  person: 'A person’s word',
  agent: 'Noted by an agent',
  outside: 'From outside, not checked',
};

export const trustWords = (trust: Memory['trust']) => TRUST[trust];

export function confidenceWords(confidence: number): string {
  if (confidence >= 0.9) return 'certain';
  if (confidence >= 0.6) return 'likely';
  if (confidence >= 0.3) return 'unsure';
  return 'doubtful';
}

export function whyFound({ text_rank, vector_rank }: Pick<MemoryHit, 'text_rank' | 'vector_rank'>): string {
  if (text_rank !== null && vector_rank !== null) return 'Found by its words and its meaning';
  return vector_rank === null ? 'Found by its words' : 'Found by its meaning';
}

/** Pinned ones first; otherwise the order of the server, which is by age. */
export const pinnedFirst = (memories: Memory[]): Memory[] => [
  ...memories.filter((memory) => memory.pinned),
  ...memories.filter((memory) => !memory.pinned),
];

/** In the order in which they first appear. */
export function byAgent(memories: Memory[]): [string, Memory[]][] {
  const groups = new Map<string, Memory[]>();
  for (const memory of memories) {
    const agent = memory.agent ?? '';
    groups.set(agent, [...(groups.get(agent) ?? []), memory]);
  }
  return [...groups];
}
