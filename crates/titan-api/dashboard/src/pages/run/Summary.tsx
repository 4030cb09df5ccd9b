// The numbers of a run in one strip.
import type { Run } from '../../api/types';
import { Age } from '../../components/Age';
import { Elapsed } from '../../components/Elapsed';
import { formatCost, formatCount } from '../../lib/format';
import classes from './RunPage.module.css';

export function Summary({ run }: { run: Run }) {
  const done = run.steps.filter((step) => step.status === 'completed' || step.status === 'skipped').length;
  return (
    <dl className={classes.summary} data-testid="run-summary">
      <div>
        <dt>Duration</dt>
        <dd>
          <Elapsed from={run.started_at} to={run.finished_at} />
        </dd>
      </div>
      <div>
        <dt>Waited in the queue</dt>
        <dd>
          <Elapsed from={run.created_at} to={run.started_at ?? run.finished_at} />
        </dd>
      </div>
      <div>
        <dt>Steps done</dt>
        <dd className="tnum">
          {done} of {run.steps.length}
        </dd>
      </div>
      <div>
        <dt>Attempt</dt>
        <dd className="tnum">{run.attempt}</dd>
      </div>
      <div>
        <dt>Tokens in / out</dt>
        <dd className="tnum" data-testid="run-tokens">
          {formatCount(run.usage.input_tokens)} / {formatCount(run.usage.output_tokens)}
        </dd>
      </div>
      <div>
        <dt>Cost</dt>
        <dd className="tnum">{run.usage.cost === null ? 'not known' : formatCost(run.usage.cost)}</dd>
      </div>
      <div>
        <dt>Created</dt>
        <dd>
          <Age at={run.created_at} />
        </dd>
      </div>
    </dl>
  );
}
