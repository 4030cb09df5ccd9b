// Which files of a proposal a person has ticked as viewed, kept in this browser. A tick is for what was seen: when the file's
// part of the difference is another one, the tick is gone.
import { useCallback, useState } from 'react';
import { readStored, storedKeys, writeStored } from '../../../lib/storage';

const PREFIX = 'titan.viewed.';
/** Of older proposals the ticks are forgotten; ids begin with the time. */
const MOST_PROPOSALS = 50;

/** The hash of what was seen, by path. */
export type Ticks = Record<string, string>;

export function readTicks(proposalId: string): Ticks {
  try {
    const found: unknown = JSON.parse(readStored(`${PREFIX}${proposalId}`) ?? '{}');
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return {};
    return Object.fromEntries(Object.entries(found).filter(([, hash]) => typeof hash === 'string'));
  } catch {
    return {};
  }
}

export function writeTicks(proposalId: string, ticks: Ticks): void {
  const none = Object.keys(ticks).length === 0;
  writeStored(`${PREFIX}${proposalId}`, none ? null : JSON.stringify(ticks));
  for (const old of storedKeys(PREFIX).sort().slice(0, -MOST_PROPOSALS)) writeStored(old, null);
}

/** `seen` is the hash of what is shown now. */
export const isViewed = (ticks: Ticks, path: string, seen: string): boolean => ticks[path] === seen;

export function ticked(ticks: Ticks, path: string, seen: string, viewed: boolean): Ticks {
  const { [path]: _, ...others } = ticks;
  return viewed ? { ...others, [path]: seen } : others;
}

/** FNV-1a in two lanes: nobody is to be fooled here, only changes are to be noticed. */
export function hashOf(text: string): string {
  let [low, high] = [0x811c9dc5, 0xcbf29ce4];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code ^ (low >>> 7), 0x01000193);
  }
  return `${(high >>> 0).toString(36)}.${(low >>> 0).toString(36)}`;
}

export interface Viewed {
  is: (path: string, seen: string) => boolean;
  /** Always the same function. */
  set: (path: string, seen: string, viewed: boolean) => void;
}

export function useViewed(proposalId: string): Viewed {
  const [ticks, setTicks] = useState(() => readTicks(proposalId));
  const set = useCallback(
    (path: string, seen: string, viewed: boolean) =>
      setTicks((now) => {
        // Another tab may have ticked others meanwhile.
        const next = ticked({ ...now, ...readTicks(proposalId) }, path, seen, viewed);
        writeTicks(proposalId, next);
        return next;
      }),
    [proposalId],
  );
  return { is: (path, seen) => isViewed(ticks, path, seen), set };
}
