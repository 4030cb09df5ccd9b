// Where we are, from the address and what the cache already knows; it fetches nothing for itself but the names.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { projectQuery, runQuery } from '../data/queries';
import { shortId } from '../lib/format';
import classes from './TopBar.module.css';

const PLACES: Record<string, string> = {
  templates: 'Templates',
  queue: 'Queue',
  ops: 'Ops',
  system: 'System',
  welcome: 'First steps',
};
const TABS: Record<string, string> = {
  progress: 'Progress',
  input: 'Input',
  logs: 'Logs',
  output: 'Output',
  sales: 'Sales',
  plan: 'Plan',
};

export function Breadcrumb() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { projectId: ownProject, runId, proposalId } = useParams({ strict: false });
  const run = useQuery({ ...runQuery(runId ?? ''), enabled: runId !== undefined });
  const projectId = ownProject ?? run.data?.project_id;
  const project = useQuery({ ...projectQuery(projectId ?? ''), enabled: projectId !== undefined });
  const name = project.data?.name;
  const tab = TABS[path.split('/')[3] ?? ''];
  const place = PLACES[path.split('/')[1] ?? ''];
  const thing = runId ? `Run ${shortId(runId)}` : proposalId && `Proposal ${shortId(proposalId)}`;
  const last = thing ?? place ?? tab;
  const within = proposalId === undefined ? name : place;

  useEffect(() => {
    document.title = [last, within, 'Titan'].filter(Boolean).join(' · ');
  }, [last, within]);

  return (
    <nav aria-label="Breadcrumb">
      <ol className={classes.crumbs}>
        <li>
          <Link to="/projects">Projects</Link>
        </li>
        {projectId && (
          <li>
            <Link to="/projects/$projectId/progress" params={{ projectId }}>
              {name ?? shortId(projectId)}
            </Link>
          </li>
        )}
        {proposalId && (
          <li>
            <Link to="/ops">{place}</Link>
          </li>
        )}
        {last && <li aria-current="page">{last}</li>}
      </ol>
    </nav>
  );
}
