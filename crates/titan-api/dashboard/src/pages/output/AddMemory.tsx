// Adds a fact by hand. The text stays until the server has it.
import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { createMemory } from '../../api/calls';
import { ErrorPanel } from '../../components/ErrorPanel';
import { keys } from '../../data/keys';
import { emptyDraft, prepareSend } from '../../lib/drafts';
import { useOffline } from '../../live/hooks';
import classes from './OutputPage.module.css';

const LONGEST = 8000;

export function AddMemory({ projectId }: { projectId: string }) {
  const client = useQueryClient();
  const offline = useOffline();
  const [draft, setDraft] = useState(emptyDraft);
  const add = useMutation({
    mutationFn: (prepared: { text: string; key: string }) =>
      createMemory(projectId, prepared.text.trim(), prepared.key),
    onSuccess: () => {
      setDraft(emptyDraft());
      void client.invalidateQueries({ queryKey: keys.memories(projectId) });
      void client.invalidateQueries({ queryKey: keys.stats(projectId) });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.text.trim() === '' || add.isPending) return;
    const prepared = prepareSend(draft);
    setDraft(prepared);
    add.mutate(prepared);
  };
  return (
    <form onSubmit={submit} className={classes.addMemory} aria-label="New memory">
      <Textarea
        aria-label="Something to remember"
        placeholder="Something Titan should remember in this project"
        autosize
        minRows={1}
        maxRows={6}
        maxLength={LONGEST}
        value={draft.text}
        readOnly={add.isPending}
        onChange={(event) => {
          const text = event.currentTarget.value;
          setDraft((current) => ({ ...current, text }));
        }}
        className={classes.decisionText ?? ''}
      />
      <Button type="submit" variant="default" loading={add.isPending} disabled={offline || draft.text.trim() === ''}>
        Remember
      </Button>
      {add.error && <ErrorPanel error={add.error} compact />}
    </form>
  );
}
