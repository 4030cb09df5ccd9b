// A unified diff of several files, taken apart by file, as git writes it.

export interface DiffPart {
  /** Where the file is afterwards, and where it was before. */
  path: string;
  oldPath: string;
  text: string;
}

/** Lines of a file's content never begin like this: each has a sign before it. */
const BEGINS = /^diff --git /m;

export function partsOf(diff: string): DiffPart[] {
  const texts = diff.split(/^(?=diff --git )/m).filter((text) => BEGINS.test(text));
  return texts.map(partOf);
}

function partOf(text: string): DiffPart {
  const hunks = text.search(/^@@ /m);
  const header = (hunks === -1 ? text : text.slice(0, hunks)).split('\n');
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
  const both = line.slice('diff --git '.length);
  const half = (both.length - 1) / 2;
  const name = both.slice(2, half);
  return [name, name];
}

/** The part that shows a file: its own, or that of the file that it became. */
export const partFor = (parts: readonly DiffPart[], path: string): DiffPart | undefined =>
  parts.find((part) => part.path === path) ?? parts.find((part) => part.oldPath === path);
