import { describe, expect, it } from 'vitest';
import { anOutput } from '../../test/fixtures';
import { canShowText, fence, isDiff, isMarkdown, isPdf, isSafeImage, safeLink } from './previewKind';

describe('what may be shown how', () => {
  it('shows raster images and never SVG as an image', () => {
    expect(isSafeImage('image/PNG; charset=binary')).toBe(true);
    expect(isSafeImage('image/svg+xml')).toBe(false);
    expect(canShowText(anOutput({ kind: 'file', media_type: 'image/svg+xml' }))).toBe(true);
  });

  it('shows HTML as source', () => {
    const html = anOutput({ kind: 'file', media_type: 'text/html', name: 'page.html' });
    expect(canShowText(html)).toBe(true);
    expect(isMarkdown(html)).toBe(false);
  });

  it('knows a diff and a PDF by their types', () => {
    expect(isDiff(anOutput({ kind: 'code', media_type: 'text/x-diff; charset=utf-8', name: 'change' }))).toBe(true);
    expect(isDiff(anOutput({ kind: 'code', media_type: 'text/plain', name: 'change.patch' }))).toBe(true);
    expect(isDiff(anOutput())).toBe(false);
    expect(isPdf('application/PDF')).toBe(true);
    expect(isPdf('text/html')).toBe(false);
  });

  it('has no text for binary files', () => {
    expect(canShowText(anOutput({ kind: 'file', media_type: 'application/zip' }))).toBe(false);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', '/relative', '', null])(
    'refuses the link %s',
    (uri) => {
      expect(safeLink(uri)).toBeNull();
    },
  );

  it('follows web addresses', () => {
    expect(safeLink('https://example.com/a?b')?.host).toBe('example.com');
  });

  it('fences code so that no fence inside it can end it', () => {
    const fenced = fence('a\n```\nb', 'x.js');
    expect(fenced.startsWith('````js\n')).toBe(true);
    expect(fenced.endsWith('\n````')).toBe(true);
  });
});
