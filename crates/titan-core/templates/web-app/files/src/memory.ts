// What the browser remembers from one visit to the next. Whatever stands there may be of another version, or of another page.

const KEY = 'done';

export function read(storage: Pick<Storage, 'getItem'>): Set<string> {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY) ?? '[]');
    return new Set(Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
  } catch {
    return new Set();
  }
}

export function write(storage: Pick<Storage, 'setItem'>, done: ReadonlySet<string>): void {
  try {
    storage.setItem(KEY, JSON.stringify([...done]));
  } catch {
    // A full or forbidden storage costs the memory, not the app.
  }
}
