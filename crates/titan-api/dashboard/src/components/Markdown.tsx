// Markdown from models and people. The renderer is heavy, so it comes when the first text is shown; until then the text
// is readable as it is.
import { lazy, Suspense } from 'react';
import classes from './Markdown.module.css';

const Rendered = lazy(() => import('./MarkdownRendered'));

export function Markdown({ text }: { text: string }) {
  return (
    <div className={classes.markdown}>
      <Suspense fallback={<div className={classes.plain}>{text}</div>}>
        <Rendered text={text} />
      </Suspense>
    </div>
  );
}
