// Who is to answer and with which model: kept per project, since one mostly goes on with the same.
import { useState } from 'react';
import { readStored, writeStored } from '../../lib/storage';

/** Null stands for the default. */
export interface Choices {
  agent: string | null;
  model: string | null;
}

export interface ChoicesState extends Choices {
  choose: (choices: Partial<Choices>) => void;
}

const storageKey = (projectId: string) => `titan.asked.${projectId}`;

export function useChoices(projectId: string): ChoicesState {
  const [choices, setChoices] = useState(() => load(projectId));
  const choose = (more: Partial<Choices>) => {
    const next = { ...choices, ...more };
    setChoices(next);
    const usual = next.agent === null && next.model === null;
    writeStored(storageKey(projectId), usual ? null : JSON.stringify(next));
  };
  return { ...choices, choose };
}

function load(projectId: string): Choices {
  try {
    const stored: unknown = JSON.parse(readStored(storageKey(projectId)) ?? '{}');
    const { agent, model } = (stored ?? {}) as Partial<Choices>;
    return { agent: typeof agent === 'string' ? agent : null, model: typeof model === 'string' ? model : null };
  } catch {
    return { agent: null, model: null };
  }
}
