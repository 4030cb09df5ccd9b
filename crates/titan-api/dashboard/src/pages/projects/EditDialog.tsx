// Changes a project's name, type and description; the rest of its spec is left as it is.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ProjectInput, updateProject } from '../../api/calls';
import type { Project } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { keys } from '../../data/keys';
import { descriptionOf } from '../../lib/project';
import { ProjectForm } from './ProjectForm';

export function EditDialog({ project, onClose }: { project: Project; onClose: () => void }) {
  const client = useQueryClient();
  const update = useMutation({
    mutationFn: (input: ProjectInput) => updateProject(project, input),
    onSuccess: (changed) => {
      client.setQueryData(keys.project(changed.id), changed);
      void client.invalidateQueries({ queryKey: keys.projects });
      onClose();
    },
  });
  const description = descriptionOf(project);
  return (
    <Dialog onClose={onClose} title="Change the project">
      <ProjectForm
        initial={{ name: project.name, type: project.type, description }}
        submitLabel="Save"
        busy={update.isPending}
        error={update.error}
        onSubmit={(input) => update.mutate(input)}
        onCancel={onClose}
      />
    </Dialog>
  );
}
