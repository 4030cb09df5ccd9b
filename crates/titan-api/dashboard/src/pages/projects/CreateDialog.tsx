// Creates a project: plainly, and opens its Input tab, because the next thing to do is to say what is wanted; from a wish, and
// opens its plan; or from a template, and opens its Progress tab, where it is made.
import { Modal, SegmentedControl } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { createProject, type ProjectInput } from '../../api/calls';
import { keys } from '../../data/keys';
import { randomId } from '../../lib/ids';
import { WishForm } from '../plan/WishForm';
import { ProjectForm } from './ProjectForm';
import classes from './ProjectsPage.module.css';
import { FromTemplate } from './template/FromTemplate';

const EMPTY: ProjectInput = { name: '', type: 'general', description: '' };

const WAYS = [
  { value: 'simple', label: 'Name it' },
  { value: 'wish', label: 'Describe what you want' },
  { value: 'template', label: 'From a template' },
];

interface CreateDialogProps {
  opened: boolean;
  onClose: () => void;
  /** The template that is chosen already. */
  template?: string;
}

export function CreateDialog({ opened, onClose, template }: CreateDialogProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const phone = useMediaQuery('(max-width: 30em)');
  const [way, setWay] = useState(template === undefined ? 'simple' : 'template');
  // One key for one filled form: a second press of Create cannot make a second project. Another text is another request.
  const [attempt, setAttempt] = useState({ key: randomId(), body: '' });
  const create = useMutation({
    mutationFn: (input: ProjectInput) => {
      const body = JSON.stringify(input);
      const key = attempt.body === '' || attempt.body === body ? attempt.key : randomId();
      setAttempt({ key, body });
      return createProject(input, key);
    },
    onSuccess: (project) => {
      client.setQueryData(keys.project(project.id), project);
      void client.invalidateQueries({ queryKey: keys.projects });
      setAttempt({ key: randomId(), body: '' });
      onClose();
      void navigate({ to: '/projects/$projectId/input', params: { projectId: project.id } });
    },
  });
  const close = () => {
    create.reset();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title="New project" closeButtonProps={{ 'aria-label': 'Close the dialog' }}>
      <div className={classes.fields}>
        <SegmentedControl
          data={WAYS}
          value={way}
          onChange={setWay}
          aria-label="How to begin"
          // Side by side their words would be cut off.
          orientation={phone ? 'vertical' : 'horizontal'}
          fullWidth
        />
        {way === 'wish' ? (
          <WishForm
            projectId={null}
            onCancel={close}
            onOrdered={(projectId) => {
              close();
              void navigate({ to: '/projects/$projectId/plan', params: { projectId } });
            }}
          />
        ) : way === 'template' ? (
          <FromTemplate chosen={template ?? null} onClose={close} />
        ) : (
          <ProjectForm
            initial={EMPTY}
            submitLabel="Create project"
            busy={create.isPending}
            error={create.error}
            onSubmit={(input) => create.mutate(input)}
            onCancel={close}
          />
        )}
      </div>
    </Modal>
  );
}
