// Sets a budget, changes it, raises it for a run that waits, or takes it away.
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { BudgetPlace } from '../../api/calls';
import { asApiError } from '../../api/errors';
import type { BudgetPeriod, Spending } from '../../api/types';
import { useRemoveBudget, useSaveBudget } from '../../data/budgets';
import { useOffline } from '../../live/hooks';
import { Dialog } from '../Dialog';
import { ErrorPanel } from '../ErrorPanel';
import classes from './Budget.module.css';
import { type BudgetText, EMPTY_BUDGET, inputOf, problemsOf, raisedText, textOfBudget } from './budgetForm';
import { SCOPE_WORDS, spentInWords } from './spending';

const PERIODS: { value: BudgetPeriod; label: string }[] = [
  { value: 'total', label: 'In total' },
  { value: 'day', label: 'A day, by UTC' },
  { value: 'month', label: 'A month, by UTC' },
];
const FIELDS = ['cost', 'tokens', 'calls'] as const;

interface BudgetDialogProps {
  place: BudgetPlace;
  spending: Spending;
  /** Somebody waits for it: it opens with room for as much again. */
  raise?: boolean;
  onClose: () => void;
}

export default function BudgetDialog({ place, spending, raise = false, onClose }: BudgetDialogProps) {
  const { budget } = spending;
  const [text, setText] = useState<BudgetText>(() => {
    if (budget === null) return EMPTY_BUDGET;
    return raise ? raisedText(budget) : textOfBudget(budget);
  });
  const [judged, setJudged] = useState(false);
  const save = useSaveBudget(place);
  const remove = useRemoveBudget(place);
  const offline = useOffline();
  const problems = judged ? problemsOf(text) : {};
  const failure = save.error ?? remove.error;
  const refusal = failure ? asApiError(failure) : null;
  // The limit that is in the way is the one to look at.
  const [first] = useState(() => FIELDS.find((name) => text[name] !== '') ?? 'cost');
  const field = (name: (typeof FIELDS)[number]) => ({
    'data-autofocus': name === first ? true : undefined,
    value: text[name],
    error: problems[name] ?? refusal?.fieldMessage(name) ?? undefined,
    onChange: (event: { currentTarget: { value: string } }) => setText({ ...text, [name]: event.currentTarget.value }),
    autoComplete: 'off',
  });
  const onField = FIELDS.some((name) => refusal?.fieldMessage(name) != null);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setJudged(true);
    if (save.isPending || Object.keys(problemsOf(text)).length > 0) return;
    remove.reset();
    save.mutate(inputOf(text), { onSuccess: onClose });
  };
  const takeAway = () => {
    save.reset();
    remove.mutate(undefined, { onSuccess: onClose });
  };

  return (
    <Dialog onClose={onClose} title={`${raise ? 'Raise the budget' : 'Budget'} of ${SCOPE_WORDS[place.scope]}`}>
      <form onSubmit={submit} className={classes.fields} noValidate>
        <p className={classes.text}>
          A call of a model is made only if all of it fits. What does not fit waits, and goes on when there is room.
          What stays empty is not limited. Spent so far: {spentInWords(spending)}.
        </p>
        <TextInput
          label="Cost, US dollars"
          description="Only for models whose price is known."
          inputMode="decimal"
          {...field('cost')}
        />
        <TextInput label="Tokens" description="In and out together." inputMode="numeric" {...field('tokens')} />
        <TextInput label="Calls" description="Answered or not." inputMode="numeric" {...field('calls')} />
        <NativeSelect
          label="Counted"
          data={PERIODS}
          value={text.period}
          onChange={(event) => setText({ ...text, period: event.currentTarget.value as BudgetPeriod })}
        />
        {refusal && !onField && <ErrorPanel error={refusal} compact />}
        <div className={classes.buttons}>
          {budget !== null && (
            <Button
              className={classes.remove ?? ''}
              variant="default"
              disabled={offline}
              loading={remove.isPending}
              onClick={takeAway}
            >
              Remove the limit
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            disabled={offline}
            loading={save.isPending}
            title={offline ? 'Titan cannot be reached now' : undefined}
          >
            {budget === null ? 'Set the budget' : raise ? 'Raise' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
