// The steps of a run in their order.
import type { Run, Step } from '../../api/types';
import { Elapsed } from '../../components/Elapsed';
import { Panel } from '../../components/Panel';
import { ScrollBox } from '../../components/ScrollBox';
import { Status } from '../../components/Status';
import table from '../../components/Table.module.css';
import { statusOfWait } from '../../components/waiting/wait';
import { formatClock } from '../../lib/format';
import classes from './RunPage.module.css';

export function StepTable({ run }: { run: Run }) {
  return (
    <Panel title="Steps" flush testId="steps">
      {run.steps.length === 0 ? (
        <p className={classes.none}>This run has no steps yet.</p>
      ) : (
        <ScrollBox className={table.tableBox} label="Steps">
          <table className={table.table}>
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Step</th>
                <th scope="col">Attempt</th>
                <th scope="col">Worker</th>
                <th scope="col">Started</th>
                <th scope="col">Duration</th>
              </tr>
            </thead>
            <tbody>
              {run.steps.map((step) => (
                <StepRow key={step.seq} step={step} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Panel>
  );
}

function StepRow({ step }: { step: Step }) {
  const note = step.error ?? step.waiting_reason;
  return (
    <tr data-testid="step-row" data-step={step.seq}>
      <td>
        <StepStatus step={step} />
      </td>
      <td>
        {step.name} <span className={table.muted}>{step.kind}</span>
        {note && <div className={step.error ? classes.stepError : table.muted}>{note}</div>}
      </td>
      <td className="tnum">{step.attempt}</td>
      <td>{step.worker ?? <span className={table.muted}>none</span>}</td>
      <td className="tnum">
        {step.started_at ? formatClock(step.started_at) : <span className={table.muted}>not yet</span>}
      </td>
      <td>
        <Elapsed from={step.started_at} to={step.finished_at ?? (isOver(step) ? step.started_at : null)} />
      </td>
    </tr>
  );
}

function StepStatus({ step }: { step: Step }) {
  if (step.status === 'running' && step.waiting_on !== null) return <Status status={statusOfWait(step.waiting_on)} />;
  const label = step.status === 'pending' ? 'Not yet' : step.status === 'ready' ? 'Waits for a worker' : undefined;
  return <Status status={step.status} label={label} />;
}

const isOver = (step: Step) => ['completed', 'failed', 'skipped', 'canceled'].includes(step.status);
