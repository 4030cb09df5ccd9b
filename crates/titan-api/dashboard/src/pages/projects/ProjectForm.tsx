// The fields of a project, for creating and for changing. The server judges; its messages go to the fields.
import { Autocomplete, Button, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { ProjectInput } from '../../api/calls';
import { asApiError } from '../../api/errors';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useOffline } from '../../live/hooks';
import classes from './ProjectsPage.module.css';

const KNOWN_TYPES = ['general', 'web-app', 'research', 'content', 'automation'];

interface ProjectFormProps {
  initial: ProjectInput;
  submitLabel: string;
  busy: boolean;
  error: unknown;
  onSubmit: (input: ProjectInput) => void;
  onCancel: () => void;
}

export function ProjectForm({ initial, submitLabel, busy, error, onSubmit, onCancel }: ProjectFormProps) {
  const [input, setInput] = useState(initial);
  const [missing, setMissing] = useState(false);
  const offline = useOffline();
  const problem = error ? asApiError(error) : null;
  const onField = problem?.fields.some((entry) => /name|type|description/.test(entry.field)) ?? false;
  const field = (name: string) => problem?.fieldMessage(name) ?? undefined;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const empty = input.name.trim() === '';
    setMissing(empty);
    if (!empty && !busy) onSubmit(input);
  };

  return (
    <form onSubmit={submit} className={classes.fields} noValidate>
      <TextInput
        label="Name"
        required
        data-autofocus
        maxLength={200}
        value={input.name}
        error={missing && input.name.trim() === '' ? 'A project needs a name.' : field('name')}
        onChange={(event) => setInput({ ...input, name: event.currentTarget.value })}
      />
      <Autocomplete
        label="Type"
        description="A word of your own, or one of these."
        data={KNOWN_TYPES}
        maxLength={100}
        value={input.type}
        error={field('type')}
        onChange={(type) => setInput({ ...input, type })}
        comboboxProps={{ withinPortal: false }}
      />
      <Textarea
        label="Description"
        description="What it is about. Titan reads it with every message."
        rows={4}
        maxLength={10_000}
        value={input.description}
        error={field('description')}
        onChange={(event) => setInput({ ...input, description: event.currentTarget.value })}
      />
      {problem && !onField && <ErrorPanel error={problem} compact />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button
          type="submit"
          loading={busy}
          disabled={offline}
          title={offline ? 'Titan cannot be reached now' : undefined}
        >
          {submitLabel}
        </Button>
      </div>
    </form>
  );
}
