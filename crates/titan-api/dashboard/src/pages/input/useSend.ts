// Sending the draft. The text stays in the composer until the server has it; a failed send can be repeated with the same
// key, so it cannot become two tasks.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type MessageInput, sendMessage } from '../../api/calls';
import type { Attachment, Page, Task } from '../../api/types';
import { keys } from '../../data/keys';
import { tasksQuery } from '../../data/queries';
import { type Draft, emptyDraft, loadDraft, prepareSend, saveDraft } from '../../lib/drafts';
import { type Attachments, useAttachments } from './useAttachments';
import { type ChoicesState, useChoices } from './useChoices';

export interface Sent {
  key: string;
  text: string;
  files: Attachment[];
  /** Null until the server has accepted it. */
  task: Task | null;
}

export interface Send {
  draft: Draft;
  setText: (text: string) => void;
  choices: ChoicesState;
  attachments: Attachments;
  removeFile: (id: string) => void;
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

  const choices = useChoices(projectId);
  const withFiles = (change: (files: Attachment[]) => Attachment[]) =>
    setDraft((current) => ({ ...current, files: change(current.files) }));
  const attachments = useAttachments(projectId, draft.files, (file) => withFiles((files) => [...files, file]));

  const mutation = useMutation({
    mutationFn: ({ draft, body }: Prepared) => sendMessage(projectId, body, draft.key),
    onMutate: ({ draft, body }) => setSent({ key: draft.key, text: body.content, files: draft.files, task: null }),
    onSuccess: (task, { draft, body }) => {
      setSent({ key: draft.key, text: body.content, files: draft.files, task });
      // Saved here too: the page may have been left while the request was under way.
      saveDraft(projectId, emptyDraft());
      setDraft(emptyDraft());
      attachments.forget();
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
    if (mutation.isPending || draft.text.trim() === '' || attachments.sending.length > 0) return;
    const body: MessageInput = {
      content: draft.text.trim(),
      ...(choices.agent === null ? {} : { agent: choices.agent }),
      ...(choices.model === null ? {} : { model: choices.model }),
      ...(draft.files.length === 0 ? {} : { attachments: draft.files.map((file) => file.id) }),
    };
    const prepared = prepareSend(draft, JSON.stringify(body));
    setDraft(prepared);
    mutation.mutate({ draft: prepared, body });
  };

  return {
    draft,
    setText: (text) => setDraft((current) => ({ ...current, text })),
    choices,
    attachments,
    removeFile: (id) => withFiles((files) => files.filter((file) => file.id !== id)),
    submit,
    busy: mutation.isPending,
    error: mutation.error,
    sent,
  };
}

interface Prepared {
  draft: Draft;
  body: MessageInput;
}

function withTask(page: Page<Task> | undefined, task: Task): Page<Task> | undefined {
  if (page === undefined || page.items.some((known) => known.id === task.id)) return page;
  return { ...page, items: [task, ...page.items] };
}
