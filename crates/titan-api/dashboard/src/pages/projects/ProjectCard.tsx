// One project at a glance: what waits for a person first, then what runs, then how much there is.
import { ActionIcon, Menu } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDotsVertical, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Project } from '../../api/types';
import { Age } from '../../components/Age';
import { Status } from '../../components/Status';
import { plural } from '../../lib/format';
import { descriptionOf } from '../../lib/project';
import { DeleteDialog } from './DeleteDialog';
import { EditDialog } from './EditDialog';
import classes from './ProjectsPage.module.css';

export function ProjectCard({ project }: { project: Project }) {
  const [editing, edit] = useDisclosure(false);
  const [deleting, remove] = useDisclosure(false);
  const { stats } = project;
  const description = descriptionOf(project);
  return (
    <article className={classes.card} aria-label={project.name} data-testid="project-card">
      <div className={classes.top}>
        <Link to="/projects/$projectId/progress" params={{ projectId: project.id }} className={classes.name}>
          {project.name}
        </Link>
        <div className={classes.menu}>
          <Menu>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${project.name}`}>
                <IconDotsVertical size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconPencil size={16} />} onClick={edit.open}>
                Rename or describe
              </Menu.Item>
              <Menu.Item leftSection={<IconTrash size={16} />} c="var(--titan-bad)" onClick={remove.open}>
                Delete
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </div>
      </div>
      <p className={classes.description}>{description || 'No description.'}</p>
      <div className={classes.facts}>
        {stats.outputs.pending > 0 && <Status status="review" label={`${stats.outputs.pending} to review`} />}
        {stats.runs.running > 0 && <Status status="running" label={`${stats.runs.running} running`} />}
        {stats.tasks.failed > 0 && <Status status="failed" label={`${stats.tasks.failed} failed`} />}
      </div>
      <div className={`${classes.facts} tnum`}>
        <span>{project.type}</span>
        <span>{plural(stats.tasks.total, 'task')}</span>
        <span>{plural(stats.runs.total, 'run')}</span>
        <span>
          changed <Age at={project.updated_at} />
        </span>
      </div>
      {editing && <EditDialog project={project} onClose={edit.close} />}
      {deleting && <DeleteDialog project={project} onClose={remove.close} />}
    </article>
  );
}
