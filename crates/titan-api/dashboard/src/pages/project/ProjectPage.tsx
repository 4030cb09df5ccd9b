// The frame of a project: name, counters, budget and the five tabs. The tabs themselves are pages of their own.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { asApiError } from '../../api/errors';
import type { Project } from '../../api/types';
import { BudgetBar } from '../../components/budget/BudgetBar';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import tabs from '../../components/Tabs.module.css';
import { projectQuery } from '../../data/queries';
import { forgetProject, rememberProject } from '../../lib/lastProject';
import { descriptionOf } from '../../lib/project';
import { useShortcuts } from '../../lib/shortcuts';
import { Counters } from './Counters';
import classes from './ProjectPage.module.css';

const TABS = [
  { to: '/projects/$projectId/progress', label: 'Progress' },
  { to: '/projects/$projectId/input', label: 'Input' },
  { to: '/projects/$projectId/logs', label: 'Logs' },
  { to: '/projects/$projectId/output', label: 'Output' },
  { to: '/projects/$projectId/sales', label: 'Sales' },
] as const;

export function ProjectPage() {
  const { projectId } = useParams({ from: '/projects/$projectId' });
  const navigate = useNavigate();
  // Conversation and logs scroll inside themselves; the other tabs scroll as a page.
  const fill = useRouterState({ select: (state) => /\/(input|logs)\/?$/.test(state.location.pathname) });
  const project = useQuery(projectQuery(projectId));
  const gone = project.error !== null && asApiError(project.error).status === 404;

  useEffect(() => {
    if (project.data) rememberProject(projectId);
    if (gone) forgetProject(projectId);
  }, [project.data, gone, projectId]);

  const bindings = useMemo(() => {
    const byDigit = TABS.map((tab, index) => [
      String(index + 1),
      () => void navigate({ to: tab.to, params: { projectId } }),
    ]);
    return {
      ...Object.fromEntries(byDigit),
      c: () => void navigate({ to: '/projects/$projectId/input', params: { projectId } }),
    };
  }, [navigate, projectId]);
  useShortcuts(bindings);

  if (gone) return <ProjectGone />;
  return (
    <div className={classes.page} data-fill={fill}>
      <QueryView query={project} what="the project">
        {(data) => <Header project={data} />}
      </QueryView>
      <nav aria-label="Project" className={tabs.tabs}>
        {TABS.map((tab, index) => (
          <Link
            key={tab.to}
            to={tab.to}
            params={{ projectId }}
            className={tabs.tab}
            activeOptions={{ includeSearch: false }}
            activeProps={{ 'data-active': true }}
            aria-keyshortcuts={String(index + 1)}
            data-testid={`tab-${tab.label.toLowerCase()}`}
          >
            {tab.label}
          </Link>
        ))}
      </nav>
      <div className={classes.content}>
        <Outlet />
      </div>
    </div>
  );
}

function Header({ project }: { project: Project }) {
  const description = descriptionOf(project);
  return (
    <div className={classes.header}>
      <div className={classes.names}>
        <h1 className={classes.name} data-testid="project-name">
          {project.name}
        </h1>
        <p className={classes.description} title={description}>
          <span className={classes.type}>{project.type}</span>
          {description}
        </p>
      </div>
      <Link to="/projects/$projectId/plan" params={{ projectId: project.id }} data-testid="plan-link">
        Plan and charter
      </Link>
      <Counters projectId={project.id} initial={project.stats} />
      <BudgetBar place={{ scope: 'project', id: project.id }} />
    </div>
  );
}

function ProjectGone() {
  return (
    <Empty
      page
      title="This project does not exist any more"
      action={
        <Button component={Link} to="/projects">
          Go to projects
        </Button>
      }
    >
      It was deleted, or the address is from another Titan.
    </Empty>
  );
}
