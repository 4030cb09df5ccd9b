// What a project needs to know to be made of a template: its name, the inputs of the template, and where it goes. What the
// server finds wrong stands at the field it is about.
import { Button, Select, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { createFromTemplate, type TemplateInput } from '../../../api/calls';
import { type ApiError, asApiError } from '../../../api/errors';
import type { Target, TemplateDetails } from '../../../api/types';
import { ErrorPanel } from '../../../components/ErrorPanel';
import { SchemaFields } from '../../../components/schema/SchemaFields';
import {
  fieldsOf,
  initialValues,
  inputsOf,
  problemsFromServer,
  problemsOf,
  type SchemaField,
  type Values,
} from '../../../components/schema/schema';
import { keys } from '../../../data/keys';
import { useRequestKey } from '../../../lib/requestKey';
import { useOffline } from '../../../live/hooks';
import classes from './Template.module.css';
import { TARGETS, targetsOf } from './targets';

interface TemplateFormProps {
  template: TemplateDetails;
  /** The way to another template. */
  other: ReactNode;
  onCancel: () => void;
  onCreated: (projectId: string) => void;
}

export function TemplateForm({ template, other, onCancel, onCreated }: TemplateFormProps) {
  const { manifest, reference } = template;
  const fields = useMemo(() => fieldsOf(manifest.inputs), [manifest.inputs]);
  const offered = targetsOf(template);
  const [name, setName] = useState('');
  const [own, setOwn] = useState<Values>(() => initialValues(fields));
  const [titled, setTitled] = useState(false);
  const [target, setTarget] = useState<Target | undefined>(offered[0]);
  const [hook, setHook] = useState('');
  const [judged, setJudged] = useState(false);
  const offline = useOffline();
  const create = useCreate(onCreated);

  // The title is the project's name until somebody writes another one.
  const values = fields.some((field) => field.name === 'title') && !titled ? { ...own, title: name } : own;
  const refusal = create.error ? asApiError(create.error) : null;
  const wrong = problemsOf(fields, values);
  const nameless = name.trim() === '';
  const problems = { ...(refusal ? problemsFromServer(refusal.fields) : {}), ...(judged ? wrong : {}) };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setJudged(true);
    if (nameless || Object.keys(wrong).length > 0 || create.isPending || offline) return;
    const place = target === undefined ? {} : { target, ...(target === 'hook' ? { hook: hook.trim() } : {}) };
    create.mutate({ name, template: reference, inputs: inputsOf(fields, values), ...place });
  };

  return (
    <form onSubmit={submit} className={classes.fields} noValidate>
      <div className={classes.chosen}>
        <p className={classes.chosenText}>
          <strong>{manifest.title}</strong> <span className={classes.muted}>{reference}</span>
        </p>
        {other}
      </div>
      <TextInput
        label="Name"
        required
        data-autofocus
        autoFocus
        maxLength={200}
        value={name}
        autoComplete="off"
        error={judged && nameless ? 'A project needs a name.' : (refusal?.fieldMessage('name') ?? undefined)}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <SchemaFields
        fields={fields}
        values={values}
        problems={problems}
        onChange={(field, value) => {
          if (field === 'title') setTitled(true);
          setOwn({ ...own, [field]: value });
        }}
      />
      {offered.length > 1 && target !== undefined && (
        <Select
          label="Deploy to"
          description={TARGETS[target].description}
          data={offered.map((value) => ({ value, label: TARGETS[value].label }))}
          value={target}
          error={refusal?.fieldMessage('target')}
          allowDeselect={false}
          onChange={(value) => setTarget(offered.find((one) => one === value))}
          comboboxProps={{ withinPortal: false }}
        />
      )}
      {target === 'hook' && (
        <TextInput
          label="Hook"
          description="SHOP is the one whose address the worker has as TITAN_HOOK_SHOP."
          required
          maxLength={40}
          value={hook}
          autoComplete="off"
          error={refusal?.fieldMessage('hook')}
          onChange={(event) => setHook(event.currentTarget.value)}
        />
      )}
      {refusal && !isShown(refusal, fields) && <ErrorPanel error={refusal} compact />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending} disabled={offline}>
          Create project
        </Button>
      </div>
    </form>
  );
}

/** Whether each thing that the server found wrong has a field to stand at. */
function isShown({ fields: errors }: ApiError, fields: readonly SchemaField[]): boolean {
  const own = ['name', 'target', 'hook', ...fields.map(({ name }) => `inputs/${name}`)];
  return errors.length > 0 && errors.every(({ field }) => own.some((name) => `${field}/`.startsWith(`${name}/`)));
}

function useCreate(onCreated: (projectId: string) => void) {
  const client = useQueryClient();
  const keyOf = useRequestKey();
  return useMutation({
    mutationFn: (input: TemplateInput) => createFromTemplate(input, keyOf(input)),
    onSuccess: (project) => {
      client.setQueryData(keys.project(project.id), project);
      void client.invalidateQueries({ queryKey: keys.projects });
      onCreated(project.id);
    },
  });
}
