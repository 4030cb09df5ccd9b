// Every call the pages make, one function each. Pages use these through react-query and never build a path themselves.
import { request, withQuery } from './http';
import type {
  ExecutionStatus,
  Health,
  LogLevel,
  LogPage,
  Memory,
  Message,
  Output,
  Page,
  Project,
  ProjectStats,
  Provider,
  Review,
  Run,
  RunEventPage,
  Setup,
  Task,
  TaskLogEntry,
  WorkerHealth,
} from './types';

type Signal = AbortSignal | undefined;
const PAGE = 50;

export interface ProjectInput {
  name: string;
  type: string;
  description: string;
}

const projectBody = (input: ProjectInput, spec: Record<string, unknown> = {}) => ({
  name: input.name.trim(),
  type: input.type.trim() || 'general',
  spec: { ...spec, description: input.description.trim() },
});

export const listProjects = (cursor: string | null, signal?: Signal) =>
  request<Page<Project>>('GET', '/api/projects', { query: { limit: PAGE, cursor }, signal });
export const getProject = (id: string, signal?: Signal) => request<Project>('GET', `/api/projects/${id}`, { signal });
export const getStats = (id: string, signal?: Signal) =>
  request<ProjectStats>('GET', `/api/projects/${id}/stats`, { signal });
export const createProject = (input: ProjectInput, idempotencyKey: string) =>
  request<Project>('POST', '/api/projects', { body: projectBody(input), idempotencyKey });
export const updateProject = (project: Project, input: ProjectInput) =>
  request<Project>('PATCH', `/api/projects/${project.id}`, { body: projectBody(input, project.spec) });
export const deleteProject = (id: string) => request<void>('DELETE', `/api/projects/${id}`);

export const listTasks = (projectId: string, status: ExecutionStatus | null, signal?: Signal) =>
  request<Page<Task>>('GET', `/api/projects/${projectId}/tasks`, { query: { limit: 100, status }, signal });
export const getTask = (id: string, signal?: Signal) => request<Task>('GET', `/api/tasks/${id}`, { signal });
export const getTaskLog = (id: string, signal?: Signal) =>
  request<TaskLogEntry[]>('GET', `/api/tasks/${id}/log`, { signal });
export const cancelTask = (id: string) => request<Task>('POST', `/api/tasks/${id}/cancel`);
/** Starts or re-runs a task; `wait_seconds: 0` answers as soon as the run exists, the rest arrives live. */
export const executeTask = (id: string) =>
  request<{ run_id?: string }>('POST', '/api/tasks/execute', { body: { task_id: id, wait_seconds: 0 } });

export const listRuns = (filter: { projectId: string; taskId?: string | undefined; limit?: number }, signal?: Signal) =>
  request<Page<Run>>('GET', '/api/runs', {
    query: { project_id: filter.projectId, task_id: filter.taskId, limit: filter.limit ?? 20 },
    signal,
  });
export const getRun = (id: string, signal?: Signal) => request<Run>('GET', `/api/runs/${id}`, { signal });
export const cancelRun = (id: string) => request<Run>('POST', `/api/runs/${id}/cancel`);
export const listRunEvents = (runId: string, after: number, limit: number, signal?: Signal) =>
  request<RunEventPage>('GET', `/api/runs/${runId}/events`, { query: { after, limit }, signal });
export const listRunArtifacts = (runId: string, signal?: Signal) =>
  request<{ items: Output[] }>('GET', `/api/runs/${runId}/artifacts`, { signal });

export interface LogFilter {
  level: LogLevel;
  q: string;
  taskId?: string | undefined;
}
export interface LogScope {
  projectId?: string;
  runId?: string;
}

const logPath = (scope: LogScope) =>
  scope.runId ? `/api/runs/${scope.runId}/logs` : `/api/projects/${scope.projectId}/logs`;
const logQuery = (filter: LogFilter) => ({
  level: filter.level === 'debug' ? undefined : filter.level,
  q: filter.q || undefined,
  task_id: filter.taskId,
});

export const listLogs = (scope: LogScope, filter: LogFilter, cursor: string | null, limit: number, signal?: Signal) =>
  request<LogPage>('GET', logPath(scope), { query: { ...logQuery(filter), order: 'desc', limit, cursor }, signal });
export const logDownloadUrl = (scope: LogScope, filter: LogFilter, format: 'text' | 'jsonl') =>
  withQuery(logPath(scope), { ...logQuery(filter), download: format });

export const listOutputs = (projectId: string, review: Review | 'all', cursor: string | null, signal?: Signal) =>
  request<Page<Output>>('GET', `/api/projects/${projectId}/outputs`, {
    query: { review: review === 'all' ? undefined : review, limit: PAGE, cursor },
    signal,
  });
export const getOutput = (id: string, signal?: Signal) => request<Output>('GET', `/api/outputs/${id}`, { signal });
export const outputContentUrl = (id: string) => `/api/outputs/${id}/content`;
export const decideOutput = (id: string, decision: 'approve' | 'reject', comment: string) =>
  request<Output>('POST', `/api/outputs/${id}/${decision}`, {
    body: comment.trim() ? { comment: comment.trim() } : {},
  });

export const listMemories = (projectId: string, cursor: string | null, signal?: Signal) =>
  request<Page<Memory>>('GET', `/api/projects/${projectId}/memories`, { query: { limit: PAGE, cursor }, signal });
export const createMemory = (projectId: string, content: string, idempotencyKey: string) =>
  request<Memory>('POST', `/api/projects/${projectId}/memories`, { body: { content }, idempotencyKey });
export const deleteMemory = (id: string) => request<void>('DELETE', `/api/memories/${id}`);

export const listMessages = (projectId: string, cursor: string | null, signal?: Signal) =>
  request<Page<Message>>('GET', `/api/projects/${projectId}/messages`, { query: { limit: PAGE, cursor }, signal });
export const sendMessage = (projectId: string, content: string, idempotencyKey: string) =>
  request<Task>('POST', `/api/projects/${projectId}/messages`, { body: { content }, idempotencyKey });

export const getHealth = (signal?: Signal) => request<Health>('GET', '/api/health', { signal });
export const getWorkerHealth = (signal?: Signal) => request<WorkerHealth>('GET', '/api/worker/health', { signal });
export const listProviders = (signal?: Signal) => request<{ items: Provider[] }>('GET', '/api/providers', { signal });
export const getSetup = (signal?: Signal) => request<Setup>('GET', '/api/setup', { signal });
