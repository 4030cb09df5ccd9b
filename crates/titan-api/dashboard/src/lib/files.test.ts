import { describe, expect, it } from 'vitest';
import { admit, base64, LIMITS, MOST_BYTES, mediaType } from './files';

const file = (name: string, size: number) => ({ name, size });

describe('what may be attached', () => {
  it('says the limits in one sentence', () => {
    expect(LIMITS).toBe('Up to 8 files of 5 MB, 20 MB together: text, JSON, PNG, JPEG, WebP, GIF.');
  });

  it('takes what fits and says why the rest does not', () => {
    const large = file('large', MOST_BYTES + 1);
    expect(admit([], [file('a', 1), large, file('none', 0)])).toEqual({
      taken: [file('a', 1)],
      refused: ['large has 5 MB; at most 5 MB are possible.', 'none is empty.'],
    });
    const full = ['1', '2', '3', '4'].map((name) => file(name, MOST_BYTES));
    expect(admit(full, [file('b', 1)]).refused).toEqual(['b does not fit: at most 20 MB are possible together.']);
    const eight = Array.from({ length: 8 }, (_, n) => file(String(n), 1));
    expect(admit(eight, [file('c', 1)]).refused).toEqual(['c: there are 8 files already.']);
  });

  it('tells only types that the server takes', () => {
    expect(mediaType('text/markdown;charset=utf-8')).toBe('text/markdown');
    expect(mediaType('image/png')).toBe('image/png');
    expect(mediaType('application/x-yaml')).toBeNull();
    expect(mediaType('')).toBeNull();
  });

  it('reads bytes of any kind', async () => {
    expect(await base64(new Blob([new Uint8Array([0, 255, 128])]))).toBe('AP+A');
  });
});
