// One file's part of a unified diff, line by line, and what is left of it when white space does not count.
import { diffArrays } from 'diff';

export type Side = 'old' | 'new';

export interface Line {
  /** A note of git's is about the line before it: that it has no end of line. */
  kind: 'same' | 'removed' | 'added' | 'note';
  text: string;
  /** Its number before and after; null where it is not. */
  old: number | null;
  new: number | null;
}

export interface Hunk {
  /** `@@ -1,2 +1,5 @@ where that is`. */
  place: string;
  lines: Line[];
}

/** To git a line ends with `\n` alone. */
const FIRST = /(?<=^|\n)@@ /;
const PLACE = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;
/** More edits than this within one block are not held against each other: it would take too long, and nobody reads them so. */
const MOST_EDITS = 1000;

/** What stands before the first hunk: names, modes, renames. */
export function headOf(part: string): string {
  const hunks = part.search(FIRST);
  return hunks === -1 ? part : part.slice(0, hunks);
}

export function hunksOf(part: string): Hunk[] {
  const hunks: Hunk[] = [];
  let [before, after] = [0, 0];
  let inHead = true;
  for (const line of part.replace(/\n$/, '').split('\n')) {
    const place = PLACE.exec(line);
    if (place) {
      [before, after] = [Number(place[1]), Number(place[2])];
      inHead = false;
      hunks.push({ place: line, lines: [] });
      continue;
    }
    // A file that became a link has two heads.
    if (line.startsWith('diff --git ')) inHead = true;
    const lines = hunks.at(-1)?.lines;
    if (inHead || lines === undefined) continue;
    const text = line.slice(1);
    if (line.startsWith('+')) lines.push({ kind: 'added', text, old: null, new: after++ });
    else if (line.startsWith('-')) lines.push({ kind: 'removed', text, old: before++, new: null });
    else if (line.startsWith('\\')) lines.push({ kind: 'note', text: line, old: null, new: null });
    else lines.push({ kind: 'same', text, old: before++, new: after++ });
  }
  return hunks;
}

export interface WithoutSpace {
  hunks: Hunk[];
  /** Blocks that are as they came: they are too long and differ too much to be held against each other. */
  left: number;
}

/** Lines that differ in nothing but white space are the same, and a hunk that has no others is none. */
export function withoutSpace(hunks: readonly Hunk[]): WithoutSpace {
  let left = 0;
  const inBlock = (block: Line[]): Line[] => {
    const found = withoutSpaceIn(block);
    if (found === null) left += 1;
    return found ?? block;
  };
  const shown = hunks.map(({ place, lines }) => ({ place, lines: blocksOf(lines).flatMap(inBlock) }));
  return { hunks: shown.filter(({ lines }) => lines.some(isChange)), left };
}

export const isChange = ({ kind }: Line): boolean => kind === 'added' || kind === 'removed';

type Block = 'same' | 'changed';

/** Lines that are the same on both sides, and between them those that are not, together with their notes. */
function blocksOf(lines: readonly Line[]): Line[][] {
  const blocks: Line[][] = [];
  let last: Block | null = null;
  for (const line of lines) {
    const kind: Block | null = isChange(line) ? 'changed' : line.kind === 'note' ? last : 'same';
    if (kind === last) blocks.at(-1)?.push(line);
    else blocks.push([line]);
    last = kind;
  }
  return blocks;
}

/** Only what nobody takes for anything else: in some languages a line also ends within one of git's, and a comment with it. */
const SPACE = /[ \t\v\f]+|\r$/g;
const bare = ({ text }: Line): string => text.replace(SPACE, '');

/** Null when that would take too long. */
function withoutSpaceIn(block: Line[]): Line[] | null {
  const removed = block.filter(({ kind }) => kind === 'removed');
  const added = block.filter(({ kind }) => kind === 'added');
  if (removed.length === 0 || added.length === 0) return block;
  const found = diffArrays(removed.map(bare), added.map(bare), { maxEditLength: MOST_EDITS });
  if (found === undefined) return null;
  let [before, after] = [0, 0];
  return found.flatMap((part) => {
    const from = part.added ? [] : removed.slice(before, before + part.count);
    const to = part.removed ? [] : added.slice(after, after + part.count);
    [before, after] = [before + from.length, after + to.length];
    if (part.added) return to;
    if (part.removed) return from;
    // The line as it is afterwards.
    return to.map((line, index): Line => ({ ...line, kind: 'same', old: from[index]?.old ?? null }));
  });
}

const SIGNS = { same: ' ', removed: '-', added: '+', note: '' } as const;

export const signed = ({ kind, text }: Line): string => `${SIGNS[kind]}${text}`;

/** As git would write it. */
export const textOf = (hunks: readonly Hunk[]): string =>
  hunks.map(({ place, lines }) => `${[place, ...lines.map(signed)].join('\n')}\n`).join('');

/** What stands beside each other. */
export type Pair = Record<Side, Line | null>;

/** Removed lines stand beside those that came in their place, in their order. */
export function pairsOf(lines: readonly Line[]): Pair[] {
  return blocksOf(lines).flatMap((block) => {
    const isSame = block.some(({ kind }) => kind === 'same');
    if (isSame) return block.map((line): Pair => ({ old: line, new: line }));
    const sides: Record<Side, Line[]> = { old: [], new: [] };
    let side: Side = 'old';
    for (const line of block) {
      if (line.kind !== 'note') side = line.kind === 'removed' ? 'old' : 'new';
      sides[side].push(line);
    }
    const longest = Math.max(sides.old.length, sides.new.length);
    return Array.from(
      { length: longest },
      (_, at): Pair => ({ old: sides.old[at] ?? null, new: sides.new[at] ?? null }),
    );
  });
}
