// The pipeline that the Progress tab shows. Where so many tasks came after it that it is not among those that were fetched,
// what was published last leads to it.
import { useQuery } from '@tanstack/react-query';
import type { Task } from '../../../api/types';
import { newestPublicationQuery } from '../../../data/pipelines';
import { runQuery, taskQuery } from '../../../data/queries';
import { newestPipeline } from './stages';

export function useNewestPipeline(projectId: string, tasks: readonly Task[], more: boolean): Task | null {
  const near = newestPipeline(tasks);
  const publication = useQuery({ ...newestPublicationQuery(projectId), enabled: near === null && more });
  const runId = near === null ? publication.data?.run_id : undefined;
  const run = useQuery({ ...runQuery(runId ?? ''), enabled: runId !== undefined });
  const taskId = runId === undefined ? null : (run.data?.task_id ?? null);
  const task = useQuery({ ...taskQuery(taskId ?? ''), enabled: taskId !== null });
  return near ?? (taskId === null ? null : newestPipeline(task.data ? [task.data] : []));
}
