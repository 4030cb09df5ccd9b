// The last lines that a stage has written, live while it lasts. It stays at the end until somebody scrolls up.
import { useMemo } from 'react';
import type { Run } from '../../../api/types';
import { LogText } from '../../../components/ansi/LogText';
import { ErrorPanel } from '../../../components/ErrorPanel';
import { Loading } from '../../../components/Loading';
import { ScrollBox } from '../../../components/ScrollBox';
import { plural } from '../../../lib/format';
import { useStickToBottom } from '../../input/useStickToBottom';
import { useRunEvents } from '../../run/useRunEvents';
import classes from './Pipeline.module.css';
import { linesOf, type StageView } from './stages';

export function StageLog({ run, stage }: { run: Run; stage: StageView }) {
  const feed = useRunEvents(run);
  const { scroller, content } = useStickToBottom();
  const { lines, dropped } = useMemo(() => linesOf(feed.events, stage.seq), [feed.events, stage.seq]);
  if (feed.error) return <ErrorPanel error={feed.error} onRetry={feed.retry} compact />;
  if (feed.pending) return <Loading what="the log" onRetry={feed.retry} />;
  if (lines.length === 0) return <p className={classes.muted}>{stage.label} has written nothing yet.</p>;
  return (
    <ScrollBox ref={scroller} className={classes.log} label={`Log of ${stage.name}`} testId="stage-log">
      <div ref={content}>
        {dropped > 0 && <p className={classes.muted}>{plural(dropped, 'earlier line')} on the page of the run.</p>}
        {lines.map((line) => (
          <div key={line.seq} className={classes.line} data-kind={line.kind} data-level={line.level ?? undefined}>
            <LogText text={line.message ?? ''} />
          </div>
        ))}
      </div>
    </ScrollBox>
  );
}
