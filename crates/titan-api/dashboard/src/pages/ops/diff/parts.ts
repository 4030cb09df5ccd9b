// A unified diff of several files, taken apart by file, as git writes it.
import { headOf } from './hunks';

export interface DiffPart {
  /** Where the file is afterwards, and where it was before. */
  path: string;
  oldPath: string;
  text: string;
}

const BEGINS = 'diff --git ';
/**
 * Lines of a file's content never begin like this: each has a sign before it. To git a line ends with `\n` alone, whereas `^` of a
 * multi-line expression also stands behind `\r`, U+2028 and U+2029, which a file may hold to pass for another one.
 */
const FILES = /(?<=^|\n)(?=diff --git )/;

export function partsOf(diff: string): DiffPart[] {
  const parts: DiffPart[] = [];
  for (const text of diff.split(FILES)) {
    if (!text.startsWith(BEGINS)) continue;
    const part = partOf(text);
    const last = parts.at(-1);
    // A file that became a link, or the other way round, is told as one that went and one that came.
    if (last?.path === part.path && last.oldPath === part.oldPath) last.text += text;
    else parts.push(part);
  }
  return parts;
}

function partOf(text: string): DiffPart {
  const header = headOf(text).split('\n');
  const after = (prefix: string) => header.find((line) => line.startsWith(prefix))?.slice(prefix.length);
  const [first = '', second = ''] = namesOf(header[0] ?? '');
  const oldPath = after('rename from ') ?? side(after('--- '), 'a/') ?? first;
  const path = after('rename to ') ?? side(after('+++ '), 'b/') ?? second;
  return { path, oldPath, text };
}

/** `/dev/null` is no name; behind one with blanks git writes a tab. */
function side(name: string | undefined, prefix: string): string | undefined {
  const clean = name?.replace(/\t$/, '');
  return clean?.startsWith(prefix) ? clean.slice(prefix.length) : undefined;
}

/** `diff --git a/NAME b/NAME`: the same name twice, which may hold blanks. What was renamed says so on other lines. */
function namesOf(line: string): [string, string] {
  const both = line.slice(BEGINS.length);
  const half = (both.length - 1) / 2;
  const name = both.slice(2, half);
  return [name, name];
}

/** The part that shows a file: its own, or that of the file that it became. */
export const partFor = (parts: readonly DiffPart[], path: string): DiffPart | undefined =>
  parts.find((part) => part.path === path) ?? parts.find((part) => part.oldPath === path);
