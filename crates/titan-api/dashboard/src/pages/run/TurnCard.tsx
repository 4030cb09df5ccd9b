// One call of a model.
import { IconAlertTriangle } from '@tabler/icons-react';
import type { Call } from '../../api/types';
import { FailureText } from '../../components/FailureText';
import { Status } from '../../components/Status';
import { useNow } from '../../lib/clock';
import { formatClock, formatCost, formatCount, formatDuration, formatExact } from '../../lib/format';
import type { RunSnapshot } from '../../live/runFeed';
import { SILENT_AFTER_MS, Signal } from './Signal';
import classes from './Turns.module.css';
import { type Asked, askedText, CALL_STATES, PURPOSES } from './turns';

interface TurnCardProps {
  call: Call;
  /** Who was asked before this one, which stands in for it. */
  wanted: Call | null;
  asked: Asked | null;
  /** While it is under way and somebody watches. */
  snapshot: RunSnapshot | null;
}

export function TurnCard({ call, wanted, asked, snapshot }: TurnCardProps) {
  const sent = asked === null ? null : askedText(asked);
  return (
    <li className={classes.turn} data-testid="turn-card" data-state={call.state} data-purpose={call.purpose}>
      <div className={classes.head}>
        <Status {...CALL_STATES[call.state]} />
        <strong>{PURPOSES[call.purpose] ?? call.purpose}</strong>
        <span>
          {call.provider} <span className="mono">{call.model}</span>
        </span>
        {call.fallback > 0 && (
          <span className={classes.tag}>
            {wanted ? `instead of ${wanted.provider}:${wanted.model}` : 'instead of the model that was wanted'}
          </span>
        )}
        {call.attempt > 1 && <span className={classes.muted}>attempt {call.attempt}</span>}
        <time className={`${classes.at} tnum`} dateTime={call.created_at} title={formatExact(call.created_at)}>
          {formatClock(call.created_at)}
        </time>
      </div>
      {call.error && (
        <p className={classes.error}>
          <FailureText text={call.error} />
        </p>
      )}
      {call.state === 'lost' && (
        <p className={classes.note}>
          It was under way when its worker was lost. Whether it was answered nobody knows, so it counts as made.
        </p>
      )}
      {call.state === 'open' ? <Open call={call} snapshot={snapshot} /> : <Ended call={call} />}
      {sent !== null && <p className={classes.note}>{sent}</p>}
    </li>
  );
}

function Open({ call, snapshot }: { call: Call; snapshot: RunSnapshot | null }) {
  const now = useNow();
  const silence = snapshot?.lastSignal == null ? 0 : now - snapshot.lastSignal;
  return (
    <p className={`${classes.note} tnum`} data-testid="turn-signal">
      {formatDuration(now - Date.parse(call.created_at))} so far
      {snapshot && (
        <>
          , <Signal snapshot={snapshot} />
        </>
      )}
      {silence > SILENT_AFTER_MS && <IconAlertTriangle size={14} aria-hidden className={classes.warnIcon ?? ''} />}
    </p>
  );
}

function Ended({ call }: { call: Call }) {
  // Of what never began nothing is guessed.
  const about = call.estimated && call.input_tokens + call.output_tokens > 0 ? 'about ' : '';
  return (
    <dl className={classes.facts}>
      <Fact label="Tokens in">
        {about}
        {formatCount(call.input_tokens)}
        {call.cached_tokens > 0 && <span className={classes.muted}> {formatCount(call.cached_tokens)} cached</span>}
      </Fact>
      <Fact label="Tokens out">
        {about}
        {formatCount(call.output_tokens)}
      </Fact>
      <Fact label="Cost">{call.cost === null ? 'not known' : `${about}${formatCost(call.cost)}`}</Fact>
      <Fact label="First token">{call.first_token_ms === null ? 'none' : formatDuration(call.first_token_ms)}</Fact>
      <Fact label="Duration">{call.duration_ms === null ? 'not known' : formatDuration(call.duration_ms)}</Fact>
      {call.finish_reason && <Fact label="Ended by">{call.finish_reason.replaceAll('_', ' ')}</Fact>}
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className="tnum">{children}</dd>
    </div>
  );
}
