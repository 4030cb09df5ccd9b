// One log line.
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { LogLine } from '../../api/types';
import { LogText } from '../../components/ansi/LogText';
import { formatClock, formatExact, shortId } from '../../lib/format';
import classes from './LogView.module.css';

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
        <LogText text={line.message} search={search} />
      </span>
    </div>
  );
});
