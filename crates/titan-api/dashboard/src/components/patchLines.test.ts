import { expect, it } from 'vitest';
import { kindsOf } from './patchLines';

const of = (diff: string) => kindsOf(diff.split('\n')).map((kind) => kind ?? null);

it('within a hunk a line is what its sign says, however it goes on', () => {
  expect(of('--- a\n+++ b\n@@ -1,3 +1,2 @@\n a\n--- DROP\n-@@ -1 +1 @@\n+++ x\n--- c\n+++ d')).toEqual([
    null,
    null,
    'place',
    null,
    'removed',
    'removed',
    'added',
    null,
    null,
  ]);
});

it('a line without an end belongs to none', () => {
  expect(of('@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+++ b')).toEqual(['place', 'removed', null, 'added']);
});

it('lines are told by their signs too where the numbers are wrong', () => {
  expect(of('@@ -1 +1 @@\n-a\n-b\n+c\n+d')).toEqual(['place', 'removed', 'removed', 'added', 'added']);
  expect(of('@@ -1,9 +1,9 @@\n-a\ndiff --git a/x b/x\n--- a/x\n+++ b/x')).toEqual([
    'place',
    'removed',
    null,
    null,
    null,
  ]);
});
