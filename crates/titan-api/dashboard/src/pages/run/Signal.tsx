// The signs of life of a model at work: "1,240 tokens, last signal 1 s ago".
import { useNow } from '../../lib/clock';
import { formatDuration } from '../../lib/format';
import type { RunSnapshot } from '../../live/runFeed';
import classes from './RunPage.module.css';

/** A worker gives one at least every two seconds. */
export const SILENT_AFTER_MS = 6000;

export function Signal({ snapshot: { heartbeat, lastSignal } }: { snapshot: RunSnapshot }) {
  const now = useNow();
  const silence = lastSignal === null ? null : Math.max(0, now - lastSignal);
  const late = silence !== null && silence > SILENT_AFTER_MS;
  const said = [
    heartbeat && `${heartbeat.output_tokens.toLocaleString('en')} tokens`,
    silence !== null && (late ? 'no signal for ' : 'last signal ') + ago(silence, late),
  ];
  return <span className={`${late ? classes.warn : classes.muted} tnum`}>{said.filter(Boolean).join(', ')}</span>;
}

function ago(silence: number, late: boolean): string {
  if (late) return formatDuration(silence);
  return silence < 1000 ? 'now' : `${formatDuration(silence)} ago`;
}
