// The wish, in one field. It makes a draft of the plan, and a project for it where there is none yet. What was written is kept
// until that is ordered.
import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { reiterate } from '../../api/calls';
import { asApiError } from '../../api/errors';
import { ErrorPanel } from '../../components/ErrorPanel';
import classes from '../../components/Form.module.css';
import { keys } from '../../data/keys';
import { useRequestKey } from '../../lib/requestKey';
import { readStored, writeStored } from '../../lib/storage';
import { useOffline } from '../../live/hooks';

interface WishFormProps {
  /** None for a new project. */
  projectId: string | null;
  initial?: string;
  onCancel?: () => void;
  onOrdered: (projectId: string) => void;
}

export function WishForm({ projectId, initial = '', onCancel, onOrdered }: WishFormProps) {
  const place = `titan.wish.${projectId ?? 'new'}`;
  const [wish, setWish] = useState(() => readStored(place) ?? initial);
  const [missing, setMissing] = useState(false);
  const client = useQueryClient();
  const offline = useOffline();
  const keyFor = useRequestKey();
  const order = useMutation({
    mutationFn: () => reiterate({ projectId, wish }, keyFor({ projectId, wish })),
    onSuccess: async (ordered) => {
      writeStored(place, null);
      await client.invalidateQueries({ queryKey: keys.plans(ordered.project_id) });
      if (projectId === null) void client.invalidateQueries({ queryKey: keys.projects });
      onOrdered(ordered.project_id);
    },
  });
  const problem = order.error ? asApiError(order.error) : null;
  const onField = problem?.fieldMessage('wish') ?? null;
  const change = (text: string) => {
    setWish(text);
    writeStored(place, text === initial ? null : text);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(wish.trim() === '');
    if (wish.trim() !== '' && !order.isPending && !offline) order.mutate();
  };
  return (
    <form onSubmit={submit} className={classes.fields} noValidate>
      <Textarea
        label="Your wish"
        description="What is to be there in the end, and for whom. Titan drafts a plan of it and asks what it does not know."
        required
        data-autofocus
        autosize
        minRows={4}
        maxRows={16}
        maxLength={20_000}
        value={wish}
        error={missing && wish.trim() === '' ? 'Write what you want.' : onField}
        onChange={(event) => change(event.currentTarget.value)}
      />
      {problem && onField === null && <ErrorPanel error={problem} compact />}
      <div className={classes.buttons}>
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
        )}
        <Button
          type="submit"
          loading={order.isPending}
          disabled={offline}
          title={offline ? 'Titan cannot be reached now' : undefined}
        >
          Draft a plan
        </Button>
      </div>
    </form>
  );
}
