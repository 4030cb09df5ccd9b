// Whether the first-run page was skipped in this browser.
import { readStored, writeStored } from './storage';

const KEY = 'titan.first-run-skipped';

export const firstRunSkipped = (): boolean => readStored(KEY) !== null;
export const skipFirstRun = (): void => writeStored(KEY, 'yes');
