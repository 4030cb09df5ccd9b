// What the model wrote in this run, while it writes and afterwards.
import { useDeferredValue } from 'react';
import type { Run } from '../../api/types';
import { Markdown } from '../../components/Markdown';
import { Panel } from '../../components/Panel';
import classes from './RunPage.module.css';
import { Signal } from './Signal';
import type { RunEvents } from './useRunEvents';

export function StreamedText({ run, feed }: { run: Run; feed: RunEvents }) {
  const text = useDeferredValue(feed.text);
  const working = feed.live && run.status === 'running' && run.waiting_on === null;
  if (text === '' && !working) return null;
  return (
    <Panel title="Answer" aside={feed.live ? <Aside feed={feed} /> : null} testId="run-answer">
      <div data-testid="streaming-text" aria-busy={feed.live}>
        {text === '' ? (
          <p className={classes.muted}>The model has not written anything yet.</p>
        ) : (
          <Markdown text={text} />
        )}
      </div>
    </Panel>
  );
}

function Aside({ feed }: { feed: RunEvents }) {
  return (
    <span className={classes.asideRow}>
      {feed.attempt > 1 && <span className={classes.muted}>attempt {feed.attempt}</span>}
      <Signal snapshot={feed.snapshot} />
    </span>
  );
}
