// The project that `/` opens.
import { readStored, writeStored } from './storage';

const KEY = 'titan.last-project';

export const lastProject = (): string | null => readStored(KEY);
export const rememberProject = (id: string): void => writeStored(KEY, id);
export const forgetProject = (id: string): void => {
  if (lastProject() === id) writeStored(KEY, null);
};
