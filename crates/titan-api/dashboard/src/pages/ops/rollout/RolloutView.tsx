// How a proposal is brought to production: its steps, what the canary shows, and the hand on it.
import { Link } from '@tanstack/react-router';
import type { Proposal, Rollout } from '../../../api/types';
import { CopyText } from '../../../components/CopyText';
import { Elapsed } from '../../../components/Elapsed';
import { Panel } from '../../../components/Panel';
import { Status } from '../../../components/Status';
import { sentence } from '../../../lib/format';
import { shortCommit } from '../evidence';
import { Linked } from '../Linked';
import classes from '../Ops.module.css';
import { analysisOf, isMeasuring, verdictInWords } from './analysis';
import { MetricTable } from './MetricTable';
import { OrderButtons } from './OrderButtons';
import { type RolloutStep, stepsOf } from './steps';

export function RolloutView({ proposal }: { proposal: Proposal }) {
  const { rollout } = proposal;
  const analysis = analysisOf(rollout?.analysis);
  return (
    <Panel title="Rollout" aside={<OrderButtons proposal={proposal} />} testId="rollout">
      <div className={classes.rollout}>
        {rollout !== null && <Steps proposal={proposal} rollout={rollout} />}
        <p className={classes.finding} data-phase={analysis?.phase} data-testid="verdict">
          {verdictInWords(proposal)}
        </p>
      </div>
      {analysis !== null && analysis.metrics.length > 0 && (
        <MetricTable metrics={analysis.metrics} measuring={isMeasuring(rollout, analysis)} />
      )}
    </Panel>
  );
}

function Steps({ proposal, rollout }: { proposal: Proposal; rollout: Rollout }) {
  return (
    <>
      <p className={classes.facts}>
        <span>
          {shortCommit(rollout.commit)} to <strong>{rollout.target}</strong>
        </span>
        <span>
          last good{' '}
          <CopyText value={rollout.last_good} label="Copy the last good commit" text={shortCommit(rollout.last_good)} />
        </span>
        {rollout.run_id !== proposal.run_id && (
          <Link to="/runs/$runId" params={{ runId: rollout.run_id }}>
            Run of the rollback
          </Link>
        )}
        {rollout.merged_as !== null && (
          <span>
            merged as{' '}
            <CopyText value={rollout.merged_as} label="Copy the merged commit" text={shortCommit(rollout.merged_as)} />
          </span>
        )}
      </p>
      <ol className={classes.steps} aria-label="Steps of the rollout">
        {stepsOf(proposal, rollout).map((step) => (
          <li
            key={step.name}
            aria-current={step.current ? 'step' : undefined}
            data-testid="rollout-step"
            data-step={step.name}
          >
            <Step step={step} reason={step.current ? rollout.reason : null} />
          </li>
        ))}
      </ol>
    </>
  );
}

function Step({ step, reason }: { step: RolloutStep; reason: string | null }) {
  return (
    <>
      <span className={classes.stepName}>{step.name}</span>
      <Status status={step.status} label={step.word} />
      {step.from !== null && step.from !== step.to && (
        <span className={classes.muted}>
          <Elapsed from={step.from} to={step.to} />
        </span>
      )}
      {/* Not what the word says already: "Paused by local", "paused by local". */}
      {reason !== null && reason.toLowerCase() !== step.word.toLowerCase() && (
        <p className={classes.stepReason}>
          <Linked text={sentence(reason)} />
        </p>
      )}
    </>
  );
}
