// All projects as cards, and the way to a new one.
import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Empty } from '../../components/Empty';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { projectsQuery } from '../../data/queries';
import { firstRunSkipped, skipFirstRun } from '../../lib/firstRun';
import { FirstSteps } from '../welcome/FirstSteps';
import { CreateDialog } from './CreateDialog';
import { ProjectCard } from './ProjectCard';
import classes from './ProjectsPage.module.css';

export function ProjectsPage() {
  const query = useInfiniteQuery(projectsQuery());
  const [creating, dialog] = useDisclosure(false);
  const [skipped, setSkipped] = useState(firstRunSkipped);
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
            if (!skipped) return <FirstRun onSkip={() => setSkipped(true)} />;
            return (
              <Empty title="No projects yet" action={create}>
                A project holds its tasks, runs, logs, results and memory. Create one and write to it what you need, or
                take the <Link to="/welcome">first steps</Link>.
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

/** In place of an empty list, until there is a project or somebody has seen enough of it. */
function FirstRun({ onSkip }: { onSkip: () => void }) {
  const skip = () => {
    skipFirstRun();
    onSkip();
  };
  return (
    <Panel title="First steps" testId="welcome">
      <FirstSteps
        withVariables
        actions={
          <Button variant="default" onClick={skip}>
            Skip this
          </Button>
        }
      />
    </Panel>
  );
}
