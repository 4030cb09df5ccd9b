// Creates a project: plainly, and opens its Input tab, because the next thing to do is to say what is wanted; from a wish, and
// opens its plan; or from a template, and opens its Progress tab, where it is made.
import { Modal, SegmentedControl } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { createProject, type ProjectInput } from '../../api/calls';
import { keys } from '../../data/keys';
import { useRequestKey } from '../../lib/requestKey';
import { WishForm } from '../plan/WishForm';
import { ProjectForm } from './ProjectForm';
import classes from './ProjectsPage.module.css';
import { FromTemplate } from './template/FromTemplate';

const EMPTY: ProjectInput = { name: '', type: 'general', description: '' };

type Way = 'simple' | 'wish' | 'template';

const WAYS: { value: Way; label: string }[] = [
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
  const [way, setWay] = useState<Way>(template === undefined ? 'simple' : 'template');
  const [seen, setSeen] = useState<ReadonlySet<Way>>(new Set([way]));
  const [made, setMade] = useState(0);
  const key = useRequestKey();
  const create = useMutation({
    // The same words are another project once one was made of them.
    mutationFn: (input: ProjectInput) => createProject(input, key([input, made])),
    onSuccess: (project) => {
      client.setQueryData(keys.project(project.id), project);
      void client.invalidateQueries({ queryKey: keys.projects });
      setMade((count) => count + 1);
      onClose();
      void navigate({ to: '/projects/$projectId/input', params: { projectId: project.id } });
    },
  });
  const choose = (next: Way) => {
    setWay(next);
    setSeen(new Set([...seen, next]));
  };
  const close = () => {
    create.reset();
    onClose();
  };
  const forms: Record<Way, ReactNode> = {
    simple: (
      <ProjectForm
        initial={EMPTY}
        submitLabel="Create project"
        busy={create.isPending}
        error={create.error}
        onSubmit={(input) => create.mutate(input)}
        onCancel={close}
      />
    ),
    wish: (
      <WishForm
        projectId={null}
        onCancel={close}
        onOrdered={(projectId) => {
          close();
          void navigate({ to: '/projects/$projectId/plan', params: { projectId } });
        }}
      />
    ),
    template: <FromTemplate chosen={template ?? null} onClose={close} />,
  };
  return (
    <Modal opened={opened} onClose={close} title="New project" closeButtonProps={{ 'aria-label': 'Close the dialog' }}>
      <div className={classes.fields}>
        <SegmentedControl
          data={WAYS}
          value={way}
          onChange={choose}
          aria-label="How to begin"
          // Side by side their words would be cut off.
          orientation={phone ? 'vertical' : 'horizontal'}
          fullWidth
        />
        {/* What was opened stays, so that a look at another way loses nothing. */}
        {WAYS.filter(({ value }) => seen.has(value)).map(({ value }) => (
          <div key={value} hidden={value !== way}>
            {forms[value]}
          </div>
        ))}
      </div>
    </Modal>
  );
}
