// Adds a limit or changes one. The key of an existing one stays: another key is another limit.
import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { asApiError } from '../../api/errors';
import type { Limit } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useSaveLimit } from '../../data/queueActions';
import { useOffline } from '../../live/hooks';
import { EMPTY_LIMIT, inputOf, type LimitText, problemsOf, textOfLimit } from './limit';
import classes from './QueuePage.module.css';

/** How the API calls the fields. */
const WIRE: Record<keyof LimitText, string> = {
  key: 'key',
  maxRunning: 'max_running',
  rateCount: 'rate_count',
  rateSeconds: 'rate_period_ms',
};

export function LimitDialog({ limit, onClose }: { limit: Limit | null; onClose: () => void }) {
  const [text, setText] = useState(limit === null ? EMPTY_LIMIT : textOfLimit(limit));
  const [judged, setJudged] = useState(false);
  const save = useSaveLimit();
  const offline = useOffline();
  const problems = judged ? problemsOf(text) : {};
  const refusal = save.error ? asApiError(save.error) : null;
  const field = (name: keyof LimitText) => ({
    value: text[name],
    error: problems[name] ?? refusal?.fieldMessage(WIRE[name]) ?? undefined,
    onChange: (event: { currentTarget: { value: string } }) => setText({ ...text, [name]: event.currentTarget.value }),
    autoComplete: 'off',
  });
  const onField = refusal?.fields.some((entry) => Object.values(WIRE).some((name) => entry.field.endsWith(name)));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setJudged(true);
    if (save.isPending || Object.keys(problemsOf(text)).length > 0) return;
    save.mutate({ key: text.key.trim(), input: inputOf(text) }, { onSuccess: onClose });
  };

  return (
    <Dialog onClose={onClose} title={limit === null ? 'Add a limit' : `Change the limit ${limit.key}`}>
      <form onSubmit={submit} className={classes.fields} noValidate>
        {limit === null && (
          <TextInput
            label="Key"
            description="Jobs with this limit key are counted together."
            required
            data-autofocus
            maxLength={200}
            {...field('key')}
          />
        )}
        <TextInput label="At once, at most" inputMode="numeric" {...field('maxRunning')} />
        <fieldset className={classes.rate}>
          <legend>Rate</legend>
          <TextInput label="So many jobs" inputMode="numeric" {...field('rateCount')} />
          <TextInput label="In so many seconds" inputMode="decimal" {...field('rateSeconds')} />
        </fieldset>
        {refusal && !onField && <ErrorPanel error={refusal} compact />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={offline} loading={save.isPending}>
            {limit === null ? 'Add limit' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
