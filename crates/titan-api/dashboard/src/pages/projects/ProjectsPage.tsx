// All projects as cards, and the way to a new one.
import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import { projectsQuery } from '../../data/queries';
import { CreateDialog } from './CreateDialog';
import { ProjectCard } from './ProjectCard';
import classes from './ProjectsPage.module.css';

export function ProjectsPage() {
  const query = useInfiniteQuery(projectsQuery());
  const [creating, dialog] = useDisclosure(false);
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open} data-testid="new-project">
      New project
    </Button>
  );
  return (
    <div className={classes.page}>
      <div className={classes.header}>
        <h1 className={classes.title}>Projects</h1>
        {create}
      </div>
      <QueryView query={query} what="projects">
        {(data) => {
          const projects = data.pages.flatMap((page) => page.items);
          if (projects.length === 0) {
            return (
              <Empty title="No projects yet" action={create}>
                A project holds its tasks, runs, logs, results and memory. Create one and write to it what you need.
              </Empty>
            );
          }
          return (
            <>
              <ul className={classes.grid} aria-label="Projects">
                {projects.map((project) => (
                  <li key={project.id}>
                    <ProjectCard project={project} />
                  </li>
                ))}
              </ul>
              {query.hasNextPage && (
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show more
                </Button>
              )}
            </>
          );
        }}
      </QueryView>
      <CreateDialog opened={creating} onClose={dialog.close} />
    </div>
  );
}
