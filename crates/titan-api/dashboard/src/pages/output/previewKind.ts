// Decides how an output may be shown.
import type { Output } from '../../api/types';

/** SVG is left out on purpose: it can carry scripts and references. */
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
const TEXT_TYPES = new Set([
  'application/json',
  'application/xml',
  'application/javascript',
  'application/x-yaml',
  'application/yaml',
  'application/toml',
  'application/sql',
  'application/x-sh',
  'image/svg+xml',
]);

const base = (mediaType: string) => mediaType.split(';')[0]?.trim().toLowerCase() ?? '';

export const isSafeImage = (mediaType: string): boolean => IMAGES.has(base(mediaType));

export const isPdf = (mediaType: string): boolean => base(mediaType) === 'application/pdf';

export function isDiff(output: Output): boolean {
  return ['text/x-diff', 'text/x-patch'].includes(base(output.media_type)) || /\.(diff|patch)$/i.test(output.name);
}

export function canShowText(output: Output): boolean {
  const type = base(output.media_type);
  return (
    output.kind === 'text' ||
    output.kind === 'code' ||
    type.startsWith('text/') ||
    TEXT_TYPES.has(type) ||
    type.endsWith('+json')
  );
}

export function isMarkdown(output: Output): boolean {
  return base(output.media_type) === 'text/markdown' || /\.(md|markdown)$/i.test(output.name);
}

/** Wraps code so that Markdown highlights it, with a fence longer than any inside it. */
export function fence(text: string, name: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const marks = '`'.repeat(Math.max(3, longest + 1));
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  return `${marks}${extension}\n${text}\n${marks}`;
}

/** Only web addresses may be followed; `javascript:` and its like are refused. */
export function safeLink(uri: string | null): URL | null {
  if (uri === null) return null;
  try {
    const url = new URL(uri);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}
