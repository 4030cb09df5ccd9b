// The stages of a proposal in their order, each with its times, what it waits for or failed of, and what it found.
import type { OpsStage, Proposal } from '../../../api/types';
import { Elapsed } from '../../../components/Elapsed';
import { Empty } from '../../../components/Empty';
import { FailureText } from '../../../components/FailureText';
import { Panel } from '../../../components/Panel';
import { Status } from '../../../components/Status';
import { formatClock, formatExact, sentence } from '../../../lib/format';
import { gateOf } from '../gates';
import classes from '../Ops.module.css';
import { Evidence } from './Evidence';

export function GatesView({ proposal }: { proposal: Proposal }) {
  const { stages } = proposal;
  if (stages.length === 0) return <Empty title="No stage has begun yet">Its run has not been made.</Empty>;
  return (
    <Panel title="Gates" flush testId="gates">
      <ol className={classes.rows} aria-label="Gates with what they found">
        {stages.map((stage) => (
          <li key={stage.name} className={classes.gate} data-testid="gate" data-gate={stage.name}>
            <Gate stage={stage} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Gate({ stage }: { stage: OpsStage }) {
  const { name, attempt, started_at: started, finished_at: finished, error, waiting_reason: waiting } = stage;
  const look = gateOf(stage);
  return (
    <>
      <div className={classes.gateRow}>
        <h3 className={classes.gateName}>{name}</h3>
        <Status status={look.status} label={look.word} />
        {started !== null && (
          <span className={classes.muted}>
            began{' '}
            <time dateTime={started} title={formatExact(started)} className="tnum">
              {formatClock(started)}
            </time>
            , <Elapsed from={started} to={finished} />
            {attempt > 1 && <span className="tnum">, attempt {attempt}</span>}
          </span>
        )}
      </div>
      {waiting !== null && <p className={classes.reason}>{sentence(waiting)}</p>}
      {error !== null && (
        <p className={classes.bad}>
          <FailureText text={sentence(error)} />
        </p>
      )}
      {stage.evidence !== null && <Evidence stage={stage} />}
    </>
  );
}
