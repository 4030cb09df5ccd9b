// Changing all jobs that match: first the server counts them, then a person confirms the number, then it is done and the
// outcome shown. One call changes at most 1,000; the rest is one more press away.
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { bulkJobs, type JobFilter } from '../../api/calls';
import type { BulkAction, BulkResult } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { QueryView } from '../../components/QueryView';
import { useBulk } from '../../data/queueActions';
import { useOffline } from '../../live/hooks';
import { bulkFilter, filterInWords, jobsInWords, tabOf } from './filter';
import classes from './QueuePage.module.css';

/** So many are confirmed by typing their number. */
export const TYPE_ABOVE = 100;

interface Verb {
  title: string;
  will: string;
  button: string;
  done: string;
}

const VERBS: Record<BulkAction, Verb> = {
  cancel: {
    title: 'Cancel all matching jobs',
    will: 'A job of a run cancels its whole run. This cannot be undone.',
    button: 'Cancel them',
    done: 'canceled',
  },
  retry: {
    title: 'Retry all matching jobs',
    will: 'They run as soon as a worker is free, instead of at their time.',
    button: 'Retry them',
    done: 'told to run now',
  },
  redrive: {
    title: 'Redrive all matching dead letters',
    will: 'A task is executed again as a new run, another job is enqueued anew.',
    button: 'Redrive them',
    done: 'tried again',
  },
};

type BulkCounts = Pick<BulkResult, 'changed' | 'skipped' | 'remaining'>;

interface BulkDialogProps {
  action: BulkAction;
  filter: JobFilter;
  projectName: string | undefined;
  onClose: () => void;
}

export function BulkDialog({ action, filter, projectName, onClose }: BulkDialogProps) {
  const meant = bulkFilter(filter, action);
  const preview = useQuery({
    // No hint and no interval fetches it again: the number to confirm stands still.
    queryKey: ['bulk-preview', action, meant],
    queryFn: () => bulkJobs(action, meant, true),
    gcTime: 0,
    staleTime: 'static',
    refetchInterval: false,
  });
  const bulk = useBulk();
  /** What all calls so far did together; null before the first. */
  const [done, setDone] = useState<BulkCounts | null>(null);
  const run = () =>
    bulk.mutate(
      { action, filter: meant },
      {
        onSuccess: ({ changed, skipped, remaining }) =>
          setDone((before) => ({
            changed: (before?.changed ?? 0) + changed,
            skipped: (before?.skipped ?? 0) + skipped,
            remaining,
          })),
      },
    );
  const count = (matched: number) => jobsInWords(matched, tabOf(filter), action);
  return (
    <Dialog onClose={onClose} title={VERBS[action].title}>
      <div className={classes.fields} data-testid="bulk">
        {done ? (
          <Outcome counts={done} word={VERBS[action].done} busy={bulk.isPending} onMore={run} onClose={onClose} />
        ) : (
          <QueryView query={preview} what="the number of jobs">
            {({ matched }) =>
              matched === 0 ? (
                <Nothing onClose={onClose} />
              ) : (
                <Confirm
                  matched={matched}
                  what={`${count(matched)} ${filterInWords(filter, projectName)}`}
                  verb={VERBS[action]}
                  risky={action === 'cancel'}
                  busy={bulk.isPending}
                  onConfirm={run}
                  onClose={onClose}
                />
              )
            }
          </QueryView>
        )}
        {bulk.error && <ErrorPanel error={bulk.error} compact />}
      </div>
    </Dialog>
  );
}

/** The dialog looks for its first focus before the server has answered, so each part of it takes the focus as it comes. */
function useFocus<T extends HTMLElement>(): RefObject<T | null> {
  const place = useRef<T>(null);
  useEffect(() => place.current?.focus(), []);
  return place;
}

interface ConfirmProps {
  matched: number;
  what: string;
  verb: Verb;
  risky: boolean;
  busy: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

function Confirm({ matched, what, verb, risky, busy, onConfirm, onClose }: ConfirmProps) {
  const offline = useOffline();
  const [typed, setTyped] = useState('');
  const typing = useFocus<HTMLInputElement>();
  const leave = useFocus<HTMLButtonElement>();
  const many = matched > TYPE_ABOVE;
  const confirmed = !many || typed.replaceAll(/[\s,.]/g, '') === String(matched);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (confirmed && !busy) onConfirm();
  };
  return (
    <form onSubmit={submit} className={classes.fields}>
      <p className={classes.text}>
        This is about <strong data-testid="bulk-what">{what}</strong>. {verb.will}
      </p>
      {many && (
        <TextInput
          label={`Type ${matched.toLocaleString('en')} to confirm`}
          ref={typing}
          inputMode="numeric"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
        />
      )}
      <div className={classes.buttons}>
        <Button ref={many ? null : leave} variant="default" onClick={onClose}>
          Leave them
        </Button>
        <Button
          type="submit"
          {...(risky ? { color: 'bad' } : {})}
          disabled={!confirmed || offline}
          title={offline ? 'Titan cannot be reached now' : undefined}
          loading={busy}
        >
          {verb.button}
        </Button>
      </div>
    </form>
  );
}

interface OutcomeProps {
  counts: BulkCounts;
  word: string;
  busy: boolean;
  onMore: () => void;
  onClose: () => void;
}

function Outcome({ counts, word, busy, onMore, onClose }: OutcomeProps) {
  const done = useFocus<HTMLButtonElement>();
  const offline = useOffline();
  return (
    <>
      <div role="status">
        <dl className={classes.outcome} data-testid="bulk-outcome">
          <Figure label={`Changed: ${word}`} value={counts.changed} name="changed" />
          <Figure label="Skipped: moved on" value={counts.skipped} name="skipped" />
          <Figure label="Remaining" value={counts.remaining} name="remaining" />
        </dl>
      </div>
      <div className={classes.buttons}>
        {counts.remaining > 0 && (
          <Button variant="default" disabled={offline} loading={busy} onClick={onMore}>
            Go on with the rest
          </Button>
        )}
        <Button ref={done} onClick={onClose}>
          Done
        </Button>
      </div>
    </>
  );
}

function Figure({ label, value, name }: { label: string; value: number; name: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className="tnum" data-figure={name}>
        {value.toLocaleString('en')}
      </dd>
    </div>
  );
}

function Nothing({ onClose }: { onClose: () => void }) {
  const close = useFocus<HTMLButtonElement>();
  return (
    <>
      <p className={classes.text}>Nothing matches any more: the jobs have moved on.</p>
      <div className={classes.buttons}>
        <Button ref={close} onClick={onClose}>
          Close
        </Button>
      </div>
    </>
  );
}
