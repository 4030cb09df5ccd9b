// The same facts by plain HTTP, to prepare what a test needs and to compare the screen with.
import { randomUUID } from 'node:crypto';
import type { PipelineInput } from '../../src/api/calls';
import type {
  BudgetInput,
  Call,
  LogPage,
  Memory,
  Message,
  Output,
  Page,
  Project,
  ProjectStats,
  Queue,
  Run,
  RunEvent,
  RunEventPage,
  Spending,
  Task,
} from '../../src/api/types';
import { settings } from './settings';
import { until } from './until';

const TIMEOUT_MS = 20_000;
const FINISHED = ['completed', 'failed', 'canceled'];

async function call<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${settings.baseUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** A project of the test's own, under a name no other test has. */
export function createProject(title: string): Promise<Project> {
  const name = `${title} ${randomUUID().slice(0, 8)}`;
  return call('POST', '/api/projects', { name, type: 'general', spec: { description: `Made to test: ${title}.` } });
}

export const sendMessage = (projectId: string, content: string) =>
  call<Task>('POST', `/api/projects/${projectId}/messages`, { content });

/** A draft of a plan for a project that is there. */
export const orderPlan = async (projectId: string, wish: string) =>
  (await call<{ task: Task }>('POST', '/api/projects/reiterate', { project_id: projectId, wish })).task;

export const createCommand = (projectId: string, command: string) =>
  call<Task>('POST', `/api/projects/${projectId}/tasks`, { type: 'exec', payload: { command } });

/** Writes a file, whatever is there. */
export const putFile = (projectId: string, path: string, content: string) =>
  call<unknown>('PUT', `/api/projects/${projectId}/files/${path}`, { content });

export const startPipeline = (projectId: string, input: PipelineInput) =>
  call<Task>('POST', `/api/projects/${projectId}/pipelines`, input);

export const installTemplate = (archive: string) => call<unknown>('POST', '/api/templates/install', { archive });

export const cancelTask = (id: string) => call<unknown>('POST', `/api/tasks/${id}/cancel`);
export const getTask = (id: string) => call<Task>('GET', `/api/tasks/${id}`);
export const getRun = (id: string) => call<Run>('GET', `/api/runs/${id}`);
export const getProject = (id: string) => call<Project>('GET', `/api/projects/${id}`);
export const getStats = (projectId: string) => call<ProjectStats>('GET', `/api/projects/${projectId}/stats`);
export const getLogs = (projectId: string) => call<LogPage>('GET', `/api/projects/${projectId}/logs?limit=200`);
export const resumeQueue = (name: string) => call<Queue>('POST', `/api/queues/${name}/resume`);
export const approve = (output: Output) => call<Output>('POST', `/api/outputs/${output.id}/approve`, {});

export const putBudget = (projectId: string, budget: BudgetInput) =>
  call<Spending>('PUT', `/api/projects/${projectId}/budget`, budget);

/** The table of leads as it is downloaded. */
export async function getLeadsExport(projectId: string): Promise<string> {
  const address = `${settings.baseUrl}/api/projects/${projectId}/leads/export`;
  const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`GET ${address} answered ${response.status}`);
  return response.text();
}

const list = async <T>(path: string) => (await call<Page<T>>('GET', path)).items;
export const listTasks = (projectId: string) => list<Task>(`/api/projects/${projectId}/tasks`);
export const listRuns = (projectId: string) => list<Run>(`/api/projects/${projectId}/runs`);
export const listOutputs = (projectId: string) => list<Output>(`/api/projects/${projectId}/outputs`);
export const listMemories = (projectId: string) => list<Memory>(`/api/projects/${projectId}/memories`);
export const listCalls = (runId: string) => list<Call>(`/api/runs/${runId}/calls`);
export const listMessages = (projectId: string) => list<Message>(`/api/projects/${projectId}/messages`);

export async function listEvents(runId: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.seq ?? 0;
    const page = await call<RunEventPage>('GET', `/api/runs/${runId}/events?after=${after}&limit=200`);
    events.push(...page.items);
    if (page.next_cursor === null || page.items.length === 0) return events;
  }
}

export function untilFinished(taskId: string): Promise<Task> {
  return until(
    `the end of task ${taskId}`,
    async () => {
      const task = await getTask(taskId);
      return FINISHED.includes(task.execution_status) && task;
    },
    60_000,
  );
}

/** The only task of a project, as soon as the server has it; a second one is a fault in itself. */
export async function onlyTask(projectId: string): Promise<Task> {
  const [task, ...more] = await until('a task', async () => {
    const tasks = await listTasks(projectId);
    return tasks.length > 0 && tasks;
  });
  if (task === undefined || more.length > 0) throw new Error(`one task was expected, there are ${more.length + 1}`);
  return task;
}
