// Changes a memory. New words become the word of the person who writes them.
import { Button, SegmentedControl, Switch, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { asApiError } from '../../api/errors';
import type { Memory, MemoryScope } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useEditMemory } from '../../data/memoryActions';
import { useOffline } from '../../live/hooks';
import { type MemoryText, patchOf, problemsOf, textOf } from './edit';
import classes from './Memory.module.css';
import { SCOPES } from './words';

/** How the API calls the fields. */
const WIRE: Partial<Record<keyof MemoryText, string>> = {
  content: 'content',
  agent: 'agent',
  person: 'person',
  confidence: 'confidence',
  until: 'expires_at',
};

interface EditDialogProps {
  projectId: string;
  memory: Memory;
  onClose: () => void;
}

export function EditDialog({ projectId, memory, onClose }: EditDialogProps) {
  const [text, setText] = useState(() => textOf(memory));
  const [judged, setJudged] = useState(false);
  const save = useEditMemory(projectId);
  const offline = useOffline();
  const problems = judged ? problemsOf(text, memory, Date.now()) : {};
  const refusal = save.error ? asApiError(save.error) : null;
  const field = (name: 'content' | 'agent' | 'person' | 'confidence' | 'until') => ({
    value: text[name],
    error: problems[name] ?? refusal?.fieldMessage(WIRE[name] ?? name) ?? undefined,
    onChange: (event: { currentTarget: { value: string } }) => setText({ ...text, [name]: event.currentTarget.value }),
    autoComplete: 'off',
  });
  const onField = refusal?.fields.some((entry) => Object.values(WIRE).includes(entry.field));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setJudged(true);
    if (save.isPending || Object.keys(problemsOf(text, memory, Date.now())).length > 0) return;
    const patch = patchOf(text, memory);
    if (Object.keys(patch).length === 0) return onClose();
    save.mutate({ id: memory.id, patch }, { onSuccess: onClose });
  };
  return (
    <Dialog onClose={onClose} title="Change a memory">
      <form onSubmit={submit} className={classes.fields} noValidate>
        <Textarea
          label="What is remembered"
          data-autofocus
          autosize
          minRows={2}
          maxRows={10}
          maxLength={8000}
          {...field('content')}
        />
        <div>
          <p className={classes.label}>Who is shown it</p>
          <SegmentedControl
            fullWidth
            data={SCOPES.map(({ value, label }) => ({ value, label }))}
            value={text.scope}
            onChange={(scope) => setText({ ...text, scope: scope as MemoryScope })}
            aria-label="Who is shown it"
          />
        </div>
        {text.scope === 'agent' && <TextInput label="Agent" maxLength={200} {...field('agent')} />}
        <TextInput
          label="About"
          description="A person, so that all about her or him can be erased."
          maxLength={200}
          {...field('person')}
        />
        <TextInput label="Confidence in per cent" inputMode="numeric" {...field('confidence')} />
        <TextInput
          label="Until the end of"
          type="date"
          description="Nothing for as long as it is kept at all."
          {...field('until')}
        />
        <Switch
          label="Pinned: shown first, and kept whatever its age"
          checked={text.pinned}
          onChange={(event) => setText({ ...text, pinned: event.currentTarget.checked })}
        />
        {refusal && !onField && <ErrorPanel error={refusal} compact />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={offline} loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
