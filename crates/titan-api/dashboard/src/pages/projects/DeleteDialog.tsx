// Deleting cannot be undone, so the real name has to be typed.
import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { deleteProject } from '../../api/calls';
import type { Project } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { keys } from '../../data/keys';
import { plural } from '../../lib/format';
import { forgetProject } from '../../lib/lastProject';
import { notifyDone } from '../../lib/notify';
import classes from './ProjectsPage.module.css';

export function DeleteDialog({ project, onClose }: { project: Project; onClose: () => void }) {
  const client = useQueryClient();
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => deleteProject(project.id),
    onSuccess: () => {
      forgetProject(project.id);
      client.removeQueries({ queryKey: keys.project(project.id) });
      void client.invalidateQueries({ queryKey: keys.projects });
      notifyDone(`Deleted: ${project.name}`);
      onClose();
    },
  });
  const matches = typed.trim() === project.name;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (matches && !remove.isPending) remove.mutate();
  };
  return (
    <Dialog onClose={onClose} title="Delete the project">
      <form onSubmit={submit} className={classes.fields}>
        <p>
          This deletes <strong>{project.name}</strong> with {plural(project.stats.tasks.total, 'task')},{' '}
          {plural(project.stats.runs.total, 'run')}, {plural(project.stats.outputs.total, 'output')} and{' '}
          {plural(project.stats.memories, 'memory', 'memories')}. It cannot be undone.
        </p>
        <TextInput
          label="Type the project's name to confirm"
          data-autofocus
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
        />
        {remove.error && <ErrorPanel error={remove.error} compact />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button type="submit" color="bad" disabled={!matches} loading={remove.isPending}>
            Delete project
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
