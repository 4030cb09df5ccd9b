// Sending the draft. The text stays in the composer until the server has it; a failed send can be repeated with the same
// key, so it cannot become two tasks.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { sendMessage } from '../../api/calls';
import type { Page, Task } from '../../api/types';
import { keys } from '../../data/keys';
import { tasksQuery } from '../../data/queries';
import { type Draft, emptyDraft, loadDraft, prepareSend, saveDraft } from '../../lib/drafts';

export interface Sent {
  key: string;
  text: string;
  /** Null until the server has accepted it. */
  task: Task | null;
}

export interface Send {
  draft: Draft;
  setText: (text: string) => void;
  submit: () => void;
  busy: boolean;
  error: Error | null;
  sent: Sent | null;
}

export function useSend(projectId: string): Send {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => loadDraft(projectId));
  const [sent, setSent] = useState<Sent | null>(null);
  useEffect(() => saveDraft(projectId, draft), [projectId, draft]);

  const mutation = useMutation({
    mutationFn: (prepared: Draft) => sendMessage(projectId, prepared.text.trim(), prepared.key),
    onMutate: (prepared) => setSent({ key: prepared.key, text: prepared.text.trim(), task: null }),
    onSuccess: (task, prepared) => {
      setSent({ key: prepared.key, text: prepared.text.trim(), task });
      // Saved here too: the page may have been left while the request was under way.
      saveDraft(projectId, emptyDraft());
      setDraft(emptyDraft());
      client.setQueryData(tasksQuery(projectId).queryKey, (page: Page<Task> | undefined) => withTask(page, task));
      for (const key of [
        keys.messages(projectId),
        keys.tasks(projectId),
        keys.runs(projectId),
        keys.stats(projectId),
      ]) {
        void client.invalidateQueries({ queryKey: key });
      }
    },
    onError: () => setSent(null),
  });

  const submit = () => {
    if (mutation.isPending || draft.text.trim() === '') return;
    const prepared = prepareSend(draft);
    setDraft(prepared);
    mutation.mutate(prepared);
  };

  return {
    draft,
    setText: (text) => setDraft((current) => ({ ...current, text })),
    submit,
    busy: mutation.isPending,
    error: mutation.error,
    sent,
  };
}

function withTask(page: Page<Task> | undefined, task: Task): Page<Task> | undefined {
  if (page === undefined || page.items.some((known) => known.id === task.id)) return page;
  return { ...page, items: [task, ...page.items] };
}
