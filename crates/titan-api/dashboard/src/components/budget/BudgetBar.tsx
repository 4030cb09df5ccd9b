// What was spent and what is left of a budget, and the way to set, change or raise it.
import { UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { BudgetPlace } from '../../api/calls';
import type { Budget, Spending } from '../../api/types';
import { spendingQuery } from '../../data/budgets';
import { useNow } from '../../lib/clock';
import { formatAhead, formatExact, plural } from '../../lib/format';
import { ErrorPanel } from '../ErrorPanel';
import classes from './Budget.module.css';
import {
  amount,
  amountOf,
  forecastInWords,
  type Gauge,
  gaugesOf,
  PERIOD_WORDS,
  SCOPE_WORDS,
  spentInWords,
  TIGHTNESS_WORDS,
} from './spending';

const BudgetDialog = lazy(() => import('./BudgetDialog'));

export function BudgetBar({ place, limitWord = 'Set a budget' }: { place: BudgetPlace; limitWord?: string }) {
  const query = useQuery(spendingQuery(place));
  const [open, dialog] = useDisclosure(false);
  const spending = query.data;
  if (spending === undefined) {
    // It is beside the point of most pages: nothing is shown while it comes, and one line when it does not.
    return query.error ? <ErrorPanel error={query.error} onRetry={() => void query.refetch()} compact /> : null;
  }
  return (
    <section
      className={classes.bar}
      aria-label={`Budget of ${SCOPE_WORDS[place.scope]}`}
      data-testid="budget"
      data-scope={place.scope}
    >
      {spending.budget ? <Limited spending={spending} budget={spending.budget} /> : <Unlimited spending={spending} />}
      <UnstyledButton className={classes.change} onClick={dialog.open}>
        {spending.budget ? 'Change' : limitWord}
        {spending.budget && <span className="sr-only"> the budget</span>}
      </UnstyledButton>
      {open && (
        <Suspense fallback={null}>
          <BudgetDialog place={place} spending={spending} onClose={dialog.close} />
        </Suspense>
      )}
    </section>
  );
}

function Unlimited({ spending }: { spending: Spending }) {
  const forecast = forecastInWords(spending);
  return (
    <p className={classes.line}>
      {spending.spent.calls === 0 ? 'Nothing spent on models yet' : `Spent ${spentInWords(spending)}`}
      {forecast && ` · ${forecast}`}
    </p>
  );
}

function Limited({ spending, budget }: { spending: Spending; budget: Budget }) {
  const { waiting_runs } = spending;
  const more = [waiting_runs > 0 && plural(waiting_runs, 'run waits', 'runs wait'), forecastInWords(spending)];
  return (
    <>
      <div className={classes.gauges}>
        {gaugesOf(budget).map((gauge) => (
          <GaugeView key={gauge.unit} gauge={gauge} period={PERIOD_WORDS[budget.period]} />
        ))}
      </div>
      {more.filter(Boolean).map((words) => (
        <p key={String(words)} className={classes.line}>
          {words}
        </p>
      ))}
      {budget.period_end && (
        <p className={classes.line}>
          Begins anew <Ahead at={budget.period_end} />
        </p>
      )}
    </>
  );
}

function Ahead({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={formatExact(at)} className="tnum">
      {formatAhead(at, now)}
    </time>
  );
}

function GaugeView({ gauge, period }: { gauge: Gauge; period: string }) {
  const { unit, limit, spent, reserved, left, tightness } = gauge;
  const words = [
    `${amountOf(unit, spent, limit)} ${period}`,
    reserved > 0 && `${amount(unit, reserved)} reserved`,
    tightness === 'out' ? TIGHTNESS_WORDS.out : `${amount(unit, left)} left`,
  ].filter(Boolean);
  return (
    <div className={classes.gauge} data-tightness={tightness} data-testid="budget-gauge" data-unit={unit}>
      {/* The words beside it say the same. */}
      <div className={classes.track} aria-hidden="true">
        <svg width="100%" height="100%" preserveAspectRatio="none" viewBox="0 0 1000 1">
          <title>Budget</title>
          <rect className={classes.spent} width={gauge.spentShare * 1000} height={1} />
          <rect
            className={classes.reserved}
            x={gauge.spentShare * 1000}
            width={gauge.reservedShare * 1000}
            height={1}
          />
        </svg>
      </div>
      <span className={`${classes.words} tnum`}>
        {words.join(' · ')}
        {tightness === 'near' && <strong> · {TIGHTNESS_WORDS.near}</strong>}
      </span>
    </div>
  );
}
