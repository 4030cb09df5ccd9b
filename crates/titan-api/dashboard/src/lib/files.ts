// What may be attached to a message, and how a file is read for sending. The server looks at the bytes; here is only what
// can be said before they are sent.
import { formatBytes, plural } from './format';

export const MOST_FILES = 8;
export const MOST_BYTES = 5 * 1024 * 1024;
export const MOST_TOGETHER = 20 * 1024 * 1024;

export const LIMITS = `Up to ${MOST_FILES} files of ${formatBytes(MOST_BYTES)}, ${formatBytes(MOST_TOGETHER)} together: text, JSON, PNG, JPEG, WebP, GIF.`;

const IMAGES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

interface Sized {
  name: string;
  size: number;
}

/** Which of the new files fit beside those that are there, and why the others do not. */
export function admit<T extends Sized>(
  there: readonly Sized[],
  added: readonly T[],
): { taken: T[]; refused: string[] } {
  const taken: T[] = [];
  const refused: string[] = [];
  let count = there.length;
  let bytes = there.reduce((sum, file) => sum + file.size, 0);
  for (const file of added) {
    if (count >= MOST_FILES) refused.push(`${file.name}: there are ${plural(MOST_FILES, 'file')} already.`);
    else if (file.size === 0) refused.push(`${file.name} is empty.`);
    else if (file.size > MOST_BYTES) {
      refused.push(`${file.name} has ${formatBytes(file.size)}; at most ${formatBytes(MOST_BYTES)} are possible.`);
    } else if (bytes + file.size > MOST_TOGETHER) {
      refused.push(`${file.name} does not fit: at most ${formatBytes(MOST_TOGETHER)} are possible together.`);
    } else {
      taken.push(file);
      count += 1;
      bytes += file.size;
    }
  }
  return { taken, refused };
}

/** The type to tell, where the browser knows one that the server takes; any other is for the server to find out. */
export function mediaType(type: string): string | null {
  const plain = type.split(';')[0]?.trim().toLowerCase() ?? '';
  return plain.startsWith('text/') || plain === 'application/json' || IMAGES.includes(plain) ? plain : null;
}

export const isImage = (type: string) => IMAGES.includes(type);

export async function base64(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  const step = 0x8000;
  for (let at = 0; at < bytes.length; at += step) text += String.fromCharCode(...bytes.subarray(at, at + step));
  return btoa(text);
}
