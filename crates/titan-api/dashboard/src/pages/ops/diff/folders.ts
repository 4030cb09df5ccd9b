// Changed files by their folders, in the order of the differences.

interface Changed {
  file: { path: string };
}

export interface FolderOf<T> {
  /** Empty for the root. */
  folder: string;
  files: { name: string; entry: T }[];
}

export function byFolder<T extends Changed>(entries: readonly T[]): FolderOf<T>[] {
  const folders = new Map<string, FolderOf<T>>();
  for (const entry of entries) {
    const { path } = entry.file;
    const end = path.lastIndexOf('/');
    const folder = end < 0 ? '' : path.slice(0, end);
    const found = folders.get(folder) ?? { folder, files: [] };
    found.files.push({ name: path.slice(end + 1), entry });
    folders.set(folder, found);
  }
  return [...folders.values()];
}
