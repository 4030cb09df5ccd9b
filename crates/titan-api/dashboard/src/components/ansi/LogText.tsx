// The words of a log line: what a search found is marked, and the colours of a terminal are kept.
import { lazy, Suspense } from 'react';
import { hasEscapes } from './escapes';
import { highlight } from './highlight';

const AnsiText = lazy(() => import('./AnsiText'));

export function LogText({ text, search = '' }: { text: string; search?: string }) {
  if (!hasEscapes(text)) return <Highlighted text={text} search={search} />;
  return (
    <Suspense fallback={text}>
      <AnsiText text={text} search={search} />
    </Suspense>
  );
}

export function Highlighted({ text, search }: { text: string; search: string }) {
  return highlight(text, search).map((part, index) => (part.hit ? <mark key={index}>{part.text}</mark> : part.text));
}
