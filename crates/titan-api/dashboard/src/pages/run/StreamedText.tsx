// What the model wrote in this run, while it writes and afterwards.
import { useDeferredValue } from 'react';
import type { Run } from '../../api/types';
import { Markdown } from '../../components/Markdown';
import { Panel } from '../../components/Panel';
import { useNow } from '../../lib/clock';
import { formatCount, formatDuration } from '../../lib/format';
import classes from './RunPage.module.css';
import type { RunEvents } from './useRunEvents';

const SILENT_AFTER_MS = 6000;

export function StreamedText({ run, feed }: { run: Run; feed: RunEvents }) {
  const text = useDeferredValue(feed.text);
  if (text === '' && !(feed.live && run.status === 'running')) return null;
  return (
    <Panel title="Answer" aside={feed.live ? <Signal feed={feed} /> : null} testId="run-answer">
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

function Signal({ feed }: { feed: RunEvents }) {
  const now = useNow();
  const { heartbeat, lastSignal } = feed.snapshot;
  const silence = lastSignal === null ? null : Math.max(0, now - lastSignal);
  const late = silence !== null && silence > SILENT_AFTER_MS;
  return (
    <span className={`${late ? classes.warn : classes.muted} tnum`}>
      {heartbeat && `${formatCount(heartbeat.output_tokens)} tokens`}
      {feed.attempt > 1 && ` · attempt ${feed.attempt}`}
      {silence !== null && ` · last signal ${silence < 1000 ? 'now' : `${formatDuration(silence)} ago`}`}
    </span>
  );
}
