import { describe, expect, it } from 'vitest';
import type { FileEntry } from '../../api/types';
import { isBinary, isImage, nameOf, treeOf } from './tree';

const file = (path: string): FileEntry => ({ path, size: 1, executable: false, id: path });

describe('the tree of files', () => {
  it('has folders within folders, and each file once', () => {
    const tree = treeOf([file('b'), file('src/lib/x.ts'), file('src/a.ts'), file('a')]);
    expect(tree.files.map((entry) => entry.path)).toEqual(['a', 'b']);
    expect(tree.folders.map((folder) => folder.path)).toEqual(['src']);
    const src = tree.folders[0];
    expect(src?.files.map((entry) => entry.path)).toEqual(['src/a.ts']);
    expect(src?.folders.map((folder) => [folder.name, folder.path])).toEqual([['lib', 'src/lib']]);
    expect(src?.folders[0]?.files).toHaveLength(1);
  });

  it('knows names, pictures and what is no text', () => {
    expect(nameOf('a/b.txt')).toBe('b.txt');
    expect(nameOf('b')).toBe('b');
    expect(isImage('a/B.PNG')).toBe(true);
    expect(isImage('png')).toBe(false);
    expect(isBinary('a\0b')).toBe(true);
    expect(isBinary('é')).toBe(false);
  });
});
