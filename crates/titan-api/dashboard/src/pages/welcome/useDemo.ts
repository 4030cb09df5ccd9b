// A project with a first message, to see Titan at work before anything is set up.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { createProject, sendMessage } from '../../api/calls';
import { keys } from '../../data/keys';
import { randomId } from '../../lib/ids';

export const DEMO = {
  project: { name: 'Demo', type: 'general', description: 'A first look at Titan.' },
  message: 'Hello Titan! What can you do for me?',
};

export function useDemo() {
  const client = useQueryClient();
  const navigate = useNavigate();
  // The same keys until it has worked: a second press after a failure goes on where the first one stopped.
  const [attempt, setAttempt] = useState(() => ({ project: randomId(), message: randomId() }));
  return useMutation({
    mutationFn: async () => {
      const project = await createProject(DEMO.project, attempt.project);
      await sendMessage(project.id, { content: DEMO.message }, attempt.message);
      return project;
    },
    onSuccess: (project) => {
      setAttempt({ project: randomId(), message: randomId() });
      client.setQueryData(keys.project(project.id), project);
      void navigate({ to: '/projects/$projectId/input', params: { projectId: project.id } });
    },
    onSettled: () => void client.invalidateQueries({ queryKey: keys.projects }),
  });
}
