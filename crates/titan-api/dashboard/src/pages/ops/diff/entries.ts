// The files of a proposal, each with its part of the differences, and whether that part is all of it. What a stage has counted is held
// against what is shown: whoever approves by what stands here has to know when it is not the change.
import type { ChangedFile, Difference } from '../evidence';
import { hunksOf } from './hunks';
import { type DiffPart, partFor, partsOf } from './parts';
import { hashOf } from './viewed';

/** Longer ones are opened by whoever wants to read them. */
const OPEN_UP_TO = 400;
/** Lines that are open at once when nobody has opened any: of more the page would stall. */
export const MOST_OPEN = 3000;

/** Why what is shown is not all of a file: the differences end within it or before it, or they do not fit what was counted. */
export type Fault = 'cut' | 'after' | 'missing' | 'differs';

export interface Entry {
  file: ChangedFile;
  part: DiffPart | undefined;
  /** The hash of what is shown; a tick is for that. */
  seen: string;
  fault: Fault | null;
  /** Changed lines that are shown. */
  shown: Counted;
  /** Why it is not open at first. */
  folded: 'large' | 'many' | null;
}

export interface Counted {
  additions: number;
  deletions: number;
}

export interface Entries {
  entries: Entry[];
  /** Paths that the differences have and the list of files has not. */
  strangers: string[];
}

export function entriesOf({ files, truncated }: Difference, diff: string): Entries {
  const parts = partsOf(diff);
  const counts = new Map(parts.map((part) => [part, countOf(part)]));
  const cut = truncated ? parts.at(-1) : undefined;
  let open = 0;
  const entries = files.map((file): Entry => {
    const part = partFor(parts, file.path);
    const shown = (part && counts.get(part)) ?? { additions: 0, deletions: 0, lines: 0 };
    const fault = part === undefined ? (truncated ? 'after' : 'missing') : part === cut ? 'cut' : null;
    const fits = part === undefined || areOf(files, file, part, shown);
    const large = shown.additions + shown.deletions > OPEN_UP_TO;
    const folded = large ? 'large' : open + shown.lines > MOST_OPEN ? 'many' : null;
    if (folded === null) open += shown.lines;
    return { file, part, seen: hashOf(part?.text ?? ''), fault: fault ?? (fits ? null : 'differs'), shown, folded };
  });
  const known = new Set(files.map(({ path }) => path));
  const strangers = parts.flatMap(({ path, oldPath }) => [path, oldPath]).filter((path) => !known.has(path));
  return { entries, strangers: [...new Set(strangers)] };
}

function countOf(part: DiffPart): Counted & { lines: number } {
  const lines = hunksOf(part.text).flatMap((hunk) => hunk.lines);
  const count = (kind: 'added' | 'removed') => lines.filter((line) => line.kind === kind).length;
  return { additions: count('added'), deletions: count('removed'), lines: lines.length };
}

/** What was moved is counted as a file that went and one that came, and is shown as one that became the other. */
function areOf(files: readonly ChangedFile[], file: ChangedFile, part: DiffPart, shown: Counted): boolean {
  const of = (path: string) => files.find((other) => other.path === path);
  const [from, to] = part.path === part.oldPath ? [file, file] : [of(part.oldPath), of(part.path)];
  if (from === undefined || to === undefined) return false;
  const grows = shown.additions - shown.deletions === to.additions - from.deletions;
  if (from !== to || file.status === 'type_changed') return grows;
  return grows && shown.additions === file.additions;
}
