// The whole table of addresses. Pages are lazy; hovering a link fetches its page ahead.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { lastProject } from '../lib/lastProject';
import { NotFound } from '../pages/other/NotFound';
import { PageError } from '../pages/other/PageError';
import { Shell } from './Shell';
import {
  inputSearch,
  logSearch,
  outputSearch,
  planSearch,
  proposalSearch,
  queueSearch,
  runSearch,
  salesSearch,
  taskSearch,
  templateSearch,
} from './search';

/**
 * A page whose code comes when it is opened. The router would answer code that does not come by loading everything anew,
 * which without the server ends on an error page of the browser; in other words it is left to the page's error view.
 */
function page<Pages extends Record<string, unknown>, Name extends keyof Pages & string>(
  load: () => Promise<Pages>,
  name: Name,
) {
  const told = () =>
    load().catch((reason: unknown) => {
      throw new Error(`The code of this page could not be fetched: ${reason}`);
    });
  return lazyRouteComponent(told, name);
}

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
  component: page(() => import('../pages/projects/ProjectsPage'), 'ProjectsPage'),
});

const welcome = createRoute({
  getParentRoute: () => root,
  path: '/welcome',
  component: page(() => import('../pages/welcome/WelcomePage'), 'WelcomePage'),
});

const project = createRoute({
  getParentRoute: () => root,
  path: '/projects/$projectId',
  component: page(() => import('../pages/project/ProjectPage'), 'ProjectPage'),
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
  component: page(() => import('../pages/progress/ProgressPage'), 'ProgressPage'),
});

const input = createRoute({
  getParentRoute: () => project,
  path: 'input',
  validateSearch: inputSearch,
  component: page(() => import('../pages/input/InputPage'), 'InputPage'),
});

const logs = createRoute({
  getParentRoute: () => project,
  path: 'logs',
  validateSearch: logSearch,
  component: page(() => import('../pages/logs/LogsPage'), 'LogsPage'),
});

const output = createRoute({
  getParentRoute: () => project,
  path: 'output',
  validateSearch: outputSearch,
  component: page(() => import('../pages/output/OutputPage'), 'OutputPage'),
});

const sales = createRoute({
  getParentRoute: () => project,
  path: 'sales',
  validateSearch: salesSearch,
  component: page(() => import('../pages/sales/SalesPage'), 'SalesPage'),
});

const plan = createRoute({
  getParentRoute: () => project,
  path: 'plan',
  validateSearch: planSearch,
  component: page(() => import('../pages/plan/PlanPage'), 'PlanPage'),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  validateSearch: runSearch,
  component: page(() => import('../pages/run/RunPage'), 'RunPage'),
});

const templates = createRoute({
  getParentRoute: () => root,
  path: '/templates',
  validateSearch: templateSearch,
  component: page(() => import('../pages/templates/TemplatesPage'), 'TemplatesPage'),
});

const queue = createRoute({
  getParentRoute: () => root,
  path: '/queue',
  validateSearch: queueSearch,
  component: page(() => import('../pages/queue/QueuePage'), 'QueuePage'),
});

const ops = createRoute({
  getParentRoute: () => root,
  path: '/ops',
  component: page(() => import('../pages/ops/OpsPage'), 'OpsPage'),
});

const proposal = createRoute({
  getParentRoute: () => root,
  path: '/ops/$proposalId',
  validateSearch: proposalSearch,
  component: page(() => import('../pages/ops/ProposalPage'), 'ProposalPage'),
});

const system = createRoute({
  getParentRoute: () => root,
  path: '/system',
  component: page(() => import('../pages/system/SystemPage'), 'SystemPage'),
});

const routeTree = root.addChildren([
  home,
  projects,
  welcome,
  project.addChildren([projectHome, progress, input, logs, output, sales, plan]),
  run,
  templates,
  queue,
  ops,
  proposal,
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
