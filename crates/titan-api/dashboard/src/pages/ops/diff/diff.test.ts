import { describe, expect, it } from 'vitest';
import { storedKeys } from '../../../lib/storage';
import { headOf, hunksOf } from './hunks';
import { partFor, partsOf } from './parts';
import { hashOf, isViewed, readTicks, ticked, writeTicks } from './viewed';

const CHANGED = `diff --git a/README.md b/README.md
index 1111111..2222222 100644
--- a/README.md
+++ b/README.md
@@ -1,2 +1,2 @@
 # Titan
-old
+new
`;
const ADDED = `diff --git a/docs/a page.md b/docs/a page.md
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/docs/a page.md\t
@@ -0,0 +1,2 @@
+diff --git a/x b/x
+--- a/no/header
`;
const DELETED = `diff --git a/docs/gone.md b/docs/gone.md
deleted file mode 100644
index 4444444..0000000
--- a/docs/gone.md
+++ /dev/null
@@ -1 +0,0 @@
-diff --git a/y b/y
`;
const MOVED = `diff --git a/docs/from.md b/docs/to.md
similarity index 100%
rename from docs/from.md
rename to docs/to.md
`;
const BINARY = `diff --git a/docs/a b.png b/docs/a b.png
index 5555555..6666666 100644
Binary files a/docs/a b.png and b/docs/a b.png differ
`;
const MODE = `diff --git a/docs/run b/docs/run
old mode 100644
new mode 100755
`;

describe('a diff of several files', () => {
  const parts = partsOf(CHANGED + ADDED + DELETED + MOVED + BINARY + MODE);

  it('is taken apart by file, whatever the files hold', () => {
    expect(parts.map((part) => part.text)).toEqual([CHANGED, ADDED, DELETED, MOVED, BINARY, MODE]);
    expect(parts.map((part) => part.path)).toEqual([
      'README.md',
      'docs/a page.md',
      'docs/gone.md',
      'docs/to.md',
      'docs/a b.png',
      'docs/run',
    ]);
  });

  it('shows a file that went with the one that it became', () => {
    expect(partFor(parts, 'docs/from.md')?.text).toBe(MOVED);
    expect(partFor(parts, 'docs/to.md')?.text).toBe(MOVED);
    expect(partFor(parts, 'docs/gone.md')?.text).toBe(DELETED);
    expect(partFor(parts, 'docs/other.md')).toBeUndefined();
  });

  it('is not taken apart where a file holds what to others than git ends a line', () => {
    for (const end of ['\r', '\u2028', '\u2029', '\u0085', '\v', '\f']) {
      const forged = CHANGED.replace(
        '+new',
        `+b${end}diff --git a/docs/run b/docs/run${end}@@ -1 +1 @@${end}+harmless`,
      );
      const found = partsOf(forged + MODE);
      expect(found.map((part) => part.text)).toEqual([forged, MODE]);
      expect(partFor(found, 'docs/run')?.text).toBe(MODE);
      expect(headOf(forged)).toBe(headOf(CHANGED));
      expect(hunksOf(forged)).toHaveLength(1);
    }
  });

  it('has a file that became a link as one', () => {
    const went = CHANGED.replace('index', 'deleted file mode 100644\nindex').replace(
      '+++ b/README.md',
      '+++ /dev/null',
    );
    const came = CHANGED.replace('index', 'new file mode 120000\nindex').replace('--- a/README.md', '--- /dev/null');
    const [part, ...others] = partsOf(went + came);
    expect(others).toEqual([]);
    expect(hunksOf(part?.text ?? '').map((hunk) => hunk.lines.length)).toEqual([3, 3]);
  });

  it('may be empty', () => expect(partsOf('')).toEqual([]));
});

describe('a tick', () => {
  it('is kept in this browser, for its proposal', () => {
    const seen = hashOf(CHANGED);
    writeTicks('p7', ticked({}, 'README.md', seen, true));
    expect(isViewed(readTicks('p7'), 'README.md', seen)).toBe(true);
    expect(isViewed(readTicks('p8'), 'README.md', seen)).toBe(false);
    writeTicks('p7', ticked(readTicks('p7'), 'README.md', seen, false));
    expect(storedKeys('titan.viewed.')).toEqual([]);
  });

  it('is gone when that part of the diff is another one, and stays when another part is', () => {
    const both = ticked(ticked({}, 'README.md', hashOf(CHANGED), true), 'docs/gone.md', hashOf(DELETED), true);
    expect(isViewed(both, 'README.md', hashOf(CHANGED.replace('+new', '+newer')))).toBe(false);
    expect(isViewed(both, 'docs/gone.md', hashOf(DELETED))).toBe(true);
  });

  it('survives what somebody else has stored under its name', () => {
    for (const broken of ['{', '[]', 'null', '7', '{"a":1}']) {
      window.localStorage.setItem('titan.viewed.p7', broken);
      expect(readTicks('p7'), broken).toEqual({});
    }
  });

  it('is forgotten with the oldest proposals', () => {
    for (let number = 100; number < 160; number += 1) writeTicks(`p${number}`, { a: 'b' });
    const kept = storedKeys('titan.viewed.').sort();
    expect(kept).toHaveLength(50);
    expect(kept[0]).toBe('titan.viewed.p110');
  });

  it('tells texts apart that differ in little', () => {
    const texts = Array.from({ length: 2000 }, (_, index) => `${CHANGED}${index}`);
    expect(new Set([...texts, '', ' ', 'ab', 'ba'].map(hashOf)).size).toBe(2004);
  });
});
