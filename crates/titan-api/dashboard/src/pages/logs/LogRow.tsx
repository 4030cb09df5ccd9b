// One log line.
import { Link } from '@tanstack/react-router';
import { lazy, memo, Suspense } from 'react';
import type { LogLine } from '../../api/types';
import { formatClock, formatExact, shortId } from '../../lib/format';
import { highlight } from './highlight';
import classes from './LogView.module.css';

const AnsiText = lazy(() => import('./AnsiText'));

interface LogRowProps {
  line: LogLine;
  wrap: boolean;
  showRun: boolean;
  search: string;
}

export const LogRow = memo(function LogRow({ line, wrap, showRun, search }: LogRowProps) {
  return (
    <div className={classes.row} data-level={line.level} data-wrap={wrap} data-testid="log-line" data-seq={line.seq}>
      <time
        dateTime={line.timestamp}
        title={`${formatExact(line.timestamp)} (${line.timestamp})`}
        className={classes.time}
      >
        {formatClock(line.timestamp, true)}
      </time>
      <span className={classes.level}>{line.level}</span>
      {showRun && (
        <Link to="/runs/$runId" params={{ runId: line.run_id }} className={classes.run} title={`Run ${line.run_id}`}>
          {shortId(line.run_id)}
        </Link>
      )}
      <span className={classes.step}>{line.step === null ? '' : `step ${line.step}`}</span>
      <span className={classes.message}>
        <Message text={line.message} search={search} />
      </span>
    </div>
  );
});

function Message({ text, search }: { text: string; search: string }) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  if (/\u001b/.test(text)) {
    return (
      <Suspense fallback={text}>
        <AnsiText text={text} />
      </Suspense>
    );
  }
  return highlight(text, search).map((part, index) => (part.hit ? <mark key={index}>{part.text}</mark> : part.text));
}
