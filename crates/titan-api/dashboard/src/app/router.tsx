// The whole table of addresses. Pages are lazy; hovering a link fetches its page ahead.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { lastProject } from '../lib/lastProject';
import { NotFound } from '../pages/other/NotFound';
import { PageError } from '../pages/other/PageError';
import { Shell } from './Shell';
import { logSearch, outputSearch, runSearch, taskSearch } from './search';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    const projectId = lastProject();
    if (projectId !== null)
      throw redirect({ to: '/projects/$projectId/progress', params: { projectId }, replace: true });
    throw redirect({ to: '/projects', replace: true });
  },
});

const projects = createRoute({
  getParentRoute: () => root,
  path: '/projects',
  component: lazyRouteComponent(() => import('../pages/projects/ProjectsPage'), 'ProjectsPage'),
});

const project = createRoute({
  getParentRoute: () => root,
  path: '/projects/$projectId',
  component: lazyRouteComponent(() => import('../pages/project/ProjectPage'), 'ProjectPage'),
});

const projectHome = createRoute({
  getParentRoute: () => project,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/projects/$projectId/progress', params, replace: true });
  },
});

const progress = createRoute({
  getParentRoute: () => project,
  path: 'progress',
  validateSearch: taskSearch,
  component: lazyRouteComponent(() => import('../pages/progress/ProgressPage'), 'ProgressPage'),
});

const input = createRoute({
  getParentRoute: () => project,
  path: 'input',
  component: lazyRouteComponent(() => import('../pages/input/InputPage'), 'InputPage'),
});

const logs = createRoute({
  getParentRoute: () => project,
  path: 'logs',
  validateSearch: logSearch,
  component: lazyRouteComponent(() => import('../pages/logs/LogsPage'), 'LogsPage'),
});

const output = createRoute({
  getParentRoute: () => project,
  path: 'output',
  validateSearch: outputSearch,
  component: lazyRouteComponent(() => import('../pages/output/OutputPage'), 'OutputPage'),
});

const sales = createRoute({
  getParentRoute: () => project,
  path: 'sales',
  component: lazyRouteComponent(() => import('../pages/sales/SalesPage'), 'SalesPage'),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import('../pages/run/RunPage'), 'RunPage'),
});

const system = createRoute({
  getParentRoute: () => root,
  path: '/system',
  component: lazyRouteComponent(() => import('../pages/system/SystemPage'), 'SystemPage'),
});

const routeTree = root.addChildren([
  home,
  projects,
  project.addChildren([projectHome, progress, input, logs, output, sales]),
  run,
  system,
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultErrorComponent: PageError,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
