import { describe, expect, it } from 'vitest';
import { aFile, aProposal, stagesUpTo } from '../../../test/proposals';
import { differenceOf } from '../evidence';
import { type Entry, entriesOf, MOST_OPEN } from './entries';

const part = (path: string, ...lines: string[]) =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1,9 +1,9 @@\n${lines.map((line) => `${line}\n`).join('')}`;
const MOVED = 'diff --git a/docs/from.md b/docs/to.md\nrename from docs/from.md\nrename to docs/to.md\n';

/** What stands in the list, for these files. */
function entries(files: object[], diff: string, truncated = false) {
  const difference = differenceOf(aProposal({ stages: stagesUpTo('diff') }));
  if (difference === null) throw new Error('it has none');
  return entriesOf({ ...difference, files: files as (typeof difference)['files'], truncated }, diff);
}
const faults = (found: { entries: Entry[] }) => found.entries.map(({ fault }) => fault);

describe('what is shown of a file', () => {
  it('is all of it when as many lines are shown as were counted', () => {
    const found = entries(
      [aFile('a.md'), aFile('b.md', { deletions: 0 })],
      part('a.md', '-a', '+b') + part('b.md', '+b'),
    );
    expect(faults(found)).toEqual([null, null]);
    expect(found.strangers).toEqual([]);
  });

  it('is not the whole when other lines were counted, or when it is not there', () => {
    const files = [aFile('a.md'), aFile('b.md'), aFile('c.md')];
    const found = entries(files, part('a.md', '-a', '+b', '+c') + part('b.md', '-a', '-b', '+c', '+d'));
    expect(faults(found)).toEqual(['differs', 'differs', 'missing']);
  });

  it('may be of a file that nobody has counted', () => {
    expect(entries([aFile('a.md')], part('a.md', '-a', '+b') + part('evil.md', '+b')).strangers).toEqual(['evil.md']);
  });

  it('is cut where the differences end, and nothing is shown after it', () => {
    const files = [aFile('a.md'), aFile('b.md', { deletions: 0 }), aFile('c.md')];
    const found = entries(files, part('a.md', '-a', '+b') + part('b.md', '+b'), true);
    expect(faults(found)).toEqual([null, 'cut', 'after']);
  });

  it('is counted apart for both ends of a move', () => {
    const went = aFile('docs/from.md', { status: 'deleted', additions: 0, deletions: 7 });
    const came = (additions: number) => aFile('docs/to.md', { status: 'added', additions, deletions: 0 });
    expect(faults(entries([went, came(7)], MOVED))).toEqual([null, null]);
    expect(faults(entries([went, came(8)], MOVED))).toEqual(['differs', 'differs']);
    const changed = `${MOVED}--- a/docs/from.md\n+++ b/docs/to.md\n@@ -1,7 +1,8 @@\n+more\n`;
    expect(faults(entries([went, came(8)], changed))).toEqual([null, null]);
    expect(faults(entries([came(8)], changed))).toEqual(['differs']);
  });

  it('is nothing of what is no text', () => {
    const binary = 'diff --git a/a.png b/a.png\nBinary files a/a.png and b/a.png differ\n';
    const file = aFile('a.png', { additions: 0, deletions: 0, binary: true });
    expect(faults(entries([file], binary))).toEqual([null]);
  });
});

describe('what is open at first', () => {
  const long = (path: string, changed: number, same: number) =>
    part(path, ...Array.from({ length: changed }, () => '+x'), ...Array.from({ length: same }, () => ' y'));
  const file = (path: string, additions: number) => aFile(path, { additions, deletions: 0 });

  it('is no large file', () => {
    const found = entries([file('a', 401), file('b', 400)], long('a', 401, 0) + long('b', 400, 0));
    expect(found.entries.map(({ folded }) => folded)).toEqual(['large', null]);
  });

  it('is no more than a page can show, all files together', () => {
    const half = Math.ceil(MOST_OPEN / 2) - 100;
    const found = entries(
      ['a', 'b', 'c', 'd'].map((path) => file(path, path === 'd' ? 1 : 100)),
      ['a', 'b', 'c'].map((path) => long(path, 100, half)).join('') + long('d', 1, 0),
    );
    expect(found.entries.map(({ folded }) => folded)).toEqual([null, null, 'many', 'many']);
  });
});
