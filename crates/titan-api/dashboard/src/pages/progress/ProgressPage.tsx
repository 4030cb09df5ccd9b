// "Where are we, what is next?" First what needs a person, then how it is made, what runs, then the board and the runs of late.
import { useQueries, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { QueryView } from '../../components/QueryView';
import { statsQuery, tasksQuery } from '../../data/queries';
import { Board } from './Board';
import { missingStatuses } from './columns';
import { NeedsYou } from './NeedsYou';
import { NowRunning } from './NowRunning';
import classes from './ProgressPage.module.css';
import { useNewestPipeline } from './pipeline/useNewestPipeline';
import { RecentRuns } from './RecentRuns';

const PipelinePanel = lazy(() => import('./pipeline/PipelinePanel'));
const TaskPanel = lazy(() => import('./TaskPanel'));

export function ProgressPage() {
  const { projectId } = useParams({ from: '/projects/$projectId/progress' });
  const { task: openTask } = useSearch({ from: '/projects/$projectId/progress' });
  const navigate = useNavigate({ from: '/projects/$projectId/progress' });
  const newest = useQuery(tasksQuery(projectId));
  const stats = useQuery(statsQuery(projectId));
  const missing = newest.data && stats.data ? missingStatuses(newest.data.items, stats.data) : [];
  const others = useQueries({ queries: missing.map((status) => tasksQuery(projectId, status)) });
  const lists = [newest.data?.items ?? [], ...others.map((query) => query.data?.items ?? [])];
  const more = newest.data !== undefined && newest.data.next_cursor !== null;
  const pipeline = useNewestPipeline(projectId, lists.flat(), more);

  return (
    <div className={classes.page}>
      <NeedsYou projectId={projectId} tasks={lists.flat()} failedTotal={stats.data?.tasks.failed ?? 0} />
      {pipeline && (
        <Suspense fallback={null}>
          <PipelinePanel task={pipeline} />
        </Suspense>
      )}
      <NowRunning projectId={projectId} />
      <QueryView query={newest} what="tasks">
        {() => (
          <QueryView query={stats} what="counts">
            {(counts) => <Board projectId={projectId} lists={lists} stats={counts} />}
          </QueryView>
        )}
      </QueryView>
      <RecentRuns projectId={projectId} />
      {openTask && (
        <Suspense fallback={null}>
          <TaskPanel taskId={openTask} projectId={projectId} onClose={() => void navigate({ search: {} })} />
        </Suspense>
      )}
    </div>
  );
}
