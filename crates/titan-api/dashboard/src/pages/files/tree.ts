// The files of a project as folders within folders.
import type { FileEntry } from '../../api/types';

export interface Folder {
  name: string;
  /** With the names of all folders above it. */
  path: string;
  folders: Folder[];
  files: FileEntry[];
}

/** Folders before files, each by their names. */
export function treeOf(entries: readonly FileEntry[]): Folder {
  const root: Folder = { name: '', path: '', folders: [], files: [] };
  const known = new Map([['', root]]);
  for (const entry of [...entries].sort((a, b) => a.path.localeCompare(b.path))) {
    const end = entry.path.lastIndexOf('/');
    folderAt(known, root, end < 0 ? '' : entry.path.slice(0, end)).files.push(entry);
  }
  return root;
}

function folderAt(known: Map<string, Folder>, root: Folder, path: string): Folder {
  const there = known.get(path);
  if (there) return there;
  const end = path.lastIndexOf('/');
  const parent = end < 0 ? root : folderAt(known, root, path.slice(0, end));
  const folder: Folder = { name: path.slice(end + 1), path, folders: [], files: [] };
  parent.folders.push(folder);
  known.set(path, folder);
  return folder;
}

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const IMAGE = /\.(png|jpe?g|gif|webp)$/i;
export const isImage = (path: string): boolean => IMAGE.test(path);

/** What can be edited here: text, and not so much of it that a page would stall. */
export const MOST_SHOWN = 512 * 1024;

/** A text that was read as such and is none. */
export const isBinary = (text: string): boolean => text.includes('\0') || text.includes('\uFFFD');
