// Why a run waits, since when or until when, and the way out where a person has one.
import { IconHourglass, IconLock } from '@tabler/icons-react';
import type { BudgetPlace } from '../../api/calls';
import type { Run } from '../../api/types';
import { useNow } from '../../lib/clock';
import { formatAhead, formatExact, sentence } from '../../lib/format';
import { Age } from '../Age';
import { scopeOfReason } from '../budget/spending';
import { RaiseBudget } from './RaiseBudget';
import classes from './Waiting.module.css';
import type { Wait } from './wait';

type Place = Pick<Run, 'id' | 'task_id' | 'project_id'>;

export function WaitNote({ wait, run }: { wait: Wait; run: Place }) {
  const budget = wait.on === 'budget';
  const Icon = budget ? IconLock : IconHourglass;
  return (
    <div className={classes.note} data-on={wait.on} data-testid="wait">
      <Icon size={15} aria-hidden className={classes.icon ?? ''} />
      <span className={classes.words}>
        {wait.failed ? <Failed failed={wait.failed} /> : sentence(wait.reason) || 'It waits.'}{' '}
        {wait.until && <Until at={wait.until} then={thenOf(wait)} />}
        {wait.failed && ` Attempt ${wait.failed.attempt + 1} of ${wait.failed.most}.`}
        {!wait.until && wait.since && (
          <span className={classes.since}>
            Waiting since <Age at={wait.since} />.
          </span>
        )}
      </span>
      {budget && <RaiseBudget place={placeOf(wait, run)} />}
    </div>
  );
}

function Failed({ failed }: { failed: NonNullable<Wait['failed']> }) {
  return (
    <>
      {failed.provider && <strong>{failed.provider}: </strong>}
      {failed.provider ? `${failed.error}.` : sentence(failed.error)}
    </>
  );
}

/** What becomes of it at its time: what waits for something that happens elsewhere may find that it has not. */
function thenOf({ failed, on }: Wait): string {
  if (failed !== null) return 'Trying again';
  return on === 'event' ? 'Looks again' : 'Goes on';
}

function Until({ at, then }: { at: string; then: string }) {
  const now = useNow();
  return (
    <strong className="tnum" data-testid="wait-until">
      {then}{' '}
      <time dateTime={at} title={formatExact(at)}>
        {formatAhead(at, now)}
      </time>
      .
    </strong>
  );
}

/** Whose budget it is that holds the run up. */
export function placeOf(wait: Pick<Wait, 'reason'>, run: Place): BudgetPlace {
  const scope = scopeOfReason(wait.reason);
  if (scope === 'installation') return { scope, id: '' };
  if (scope === 'run') return { scope, id: run.id };
  if (scope === 'task' && run.task_id !== null) return { scope, id: run.task_id };
  return { scope: 'project', id: run.project_id };
}
