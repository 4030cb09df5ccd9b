import { describe, expect, it } from 'vitest';
import { byFolder } from './folders';
import { headOf, hunksOf, type Line, pairsOf, signed, textOf, withoutSpace } from './hunks';

const HEAD = `diff --git a/app.py b/app.py
index 1111111..2222222 100644
--- a/app.py
+++ b/app.py
`;
const MOVED_IN = `@@ -1,4 +1,5 @@ def main():
 def main():
-run()
-stop()
+    run()
+    check()
+    stop()
 # the end
`;
const SPACE_ONLY = `@@ -20,2 +21,2 @@
-a = 1
+a  =  1
 b = 2
`;
const NO_END = `@@ -30 +31 @@
-old
\\ No newline at end of file
+new
`;

const linesOf = (part: string) => hunksOf(part).flatMap(({ lines }) => lines);
const shown = (line: Line | null) => (line === null ? null : `${line.old ?? ''}:${line.new ?? ''}${signed(line)}`);

describe('the hunks of a file', () => {
  it('have each line with its number on either side', () => {
    expect(linesOf(HEAD + MOVED_IN).map(shown)).toEqual([
      '1:1 def main():',
      '2:-run()',
      '3:-stop()',
      ':2+    run()',
      ':3+    check()',
      ':4+    stop()',
      '4:5 # the end',
    ]);
  });

  it('are written again as they came', () => {
    const part = HEAD + MOVED_IN + SPACE_ONLY + NO_END;
    expect(headOf(part) + textOf(hunksOf(part))).toBe(part);
  });

  it('are none where there is only a head', () => {
    const mode = 'diff --git a/x b/x\nold mode 100644\nnew mode 100755\n';
    expect(hunksOf(mode)).toEqual([]);
    expect(headOf(mode)).toBe(mode);
  });
});

describe('without white space', () => {
  it('lines that differ in nothing else are the same, as they are afterwards', () => {
    const [hunk] = withoutSpace(hunksOf(HEAD + MOVED_IN)).hunks;
    expect(hunk?.lines.map(shown)).toEqual([
      '1:1 def main():',
      '2:2     run()',
      ':3+    check()',
      '3:4     stop()',
      '4:5 # the end',
    ]);
  });

  it('a hunk that has no others is left out', () => {
    expect(withoutSpace(hunksOf(HEAD + SPACE_ONLY))).toEqual({ hunks: [], left: 0 });
    expect(withoutSpace(hunksOf(HEAD + MOVED_IN + SPACE_ONLY + NO_END)).hunks).toHaveLength(2);
  });

  it('what was only added or only removed stays, also when it is empty', () => {
    const blank = '@@ -1 +1,2 @@\n a\n+\n';
    expect(textOf(withoutSpace(hunksOf(blank)).hunks)).toBe(blank);
  });

  it('what ends a line elsewhere, and what only looks like a space, counts', () => {
    for (const odd of ['\r', '\u2028', '\u00a0', '\ufeff', '\u202e']) {
      const diff = `@@ -1 +1 @@\n-a b\n+a${odd} b\n`;
      expect(withoutSpace(hunksOf(diff)).hunks, odd).toHaveLength(1);
    }
    expect(withoutSpace(hunksOf('@@ -1 +1 @@\n-a\n+a\r\n')).hunks).toEqual([]);
  });

  it('blocks in which nothing is alike end in time, as they came, and are counted', () => {
    const many = Array.from({ length: 6000 }, (_, index) => index);
    const block = `@@ -1,6000 +1,6000 @@\n${many.map((n) => `-old ${n}\n`).join('')}${many.map((n) => `+new ${n}\n`).join('')}`;
    const began = performance.now();
    const { hunks, left } = withoutSpace(hunksOf(block));
    expect(hunks[0]?.lines).toHaveLength(12_000);
    expect(left).toBe(1);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('both sides beside each other', () => {
  const pairs = (part: string) => pairsOf(linesOf(part)).map((pair) => [shown(pair.old), shown(pair.new)]);

  it('have what was removed beside what came in its place', () => {
    expect(pairs(MOVED_IN)).toEqual([
      ['1:1 def main():', '1:1 def main():'],
      ['2:-run()', ':2+    run()'],
      ['3:-stop()', ':3+    check()'],
      [null, ':4+    stop()'],
      ['4:5 # the end', '4:5 # the end'],
    ]);
  });

  it('keep the notes of git on their side', () => {
    expect(pairs(NO_END)).toEqual([
      ['30:-old', ':31+new'],
      [':\\ No newline at end of file', null],
    ]);
  });
});

it('files stand by their folders, in their order', () => {
  const entries = ['docs/a.md', 'README.md', 'docs/b.md', 'docs/more/c.md'].map((path) => ({ file: { path } }));
  const folders = byFolder(entries).map(({ folder, files }) => [folder, ...files.map(({ name }) => name)]);
  expect(folders).toEqual([
    ['docs', 'a.md', 'b.md'],
    ['', 'README.md'],
    ['docs/more', 'c.md'],
  ]);
});
