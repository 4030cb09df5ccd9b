// Adds a memory by hand. The text stays until the server has it.
import { Button, Select, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useAddMemory } from '../../data/memoryActions';
import { emptyDraft, prepareSend } from '../../lib/drafts';
import { useOffline } from '../../live/hooks';
import classes from './Memory.module.css';

const LONGEST = 8000;
/** What is for a single agent is made so afterwards: who it is has to be written down. */
const FOR = [
  { value: 'project', label: 'For this project' },
  { value: 'global', label: 'For every project' },
];

export function AddMemory({ projectId }: { projectId: string }) {
  const offline = useOffline();
  const [draft, setDraft] = useState(emptyDraft);
  const [scope, setScope] = useState('project');
  const add = useAddMemory(projectId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.text.trim() === '' || add.isPending) return;
    const prepared = prepareSend(draft);
    setDraft(prepared);
    const input = { content: prepared.text.trim(), scope };
    // The same text for others is another request.
    add.mutate({ input, key: `${prepared.key}-${scope}` }, { onSuccess: () => setDraft(emptyDraft()) });
  };
  return (
    <form onSubmit={submit} className={classes.add} aria-label="New memory">
      <Textarea
        aria-label="Something to remember"
        placeholder="Something Titan should remember"
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
        className={classes.addText ?? ''}
      />
      <Select
        aria-label="Who is shown it"
        data={FOR}
        value={scope}
        allowDeselect={false}
        onChange={(value) => setScope(value ?? 'project')}
        className={classes.addScope ?? ''}
      />
      <Button type="submit" variant="default" loading={add.isPending} disabled={offline || draft.text.trim() === ''}>
        Remember
      </Button>
      {add.error && <ErrorPanel error={add.error} compact />}
    </form>
  );
}
