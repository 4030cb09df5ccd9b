// The queries of the pages. Data stays current through change hints; the few intervals here cover what no hint can
// announce, above all reasons that appear only because time passes ("no worker has reported since ...").
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import * as api from '../api/calls';
import type { ExecutionStatus, MemoryScope, Output, Page, PlanDraft, Review, Task } from '../api/types';
import { steadily, untilHealed } from './healing';
import { keys } from './keys';

const WAITING_REFRESH_MS = 4000;
const SYSTEM_REFRESH_MS = 10_000;
/** Jobs come and go without a hint each, so their numbers are asked for while somebody looks at them. */
export const QUEUE_REFRESH_MS = 2000;

const paging = {
  initialPageParam: null as string | null,
  getNextPageParam: (last: Page<unknown>) => last.next_cursor,
};

/** One that waits for others moves when these do, and of that hints tell. */
export const isActive = (task: Task) =>
  task.execution_status === 'queued' ||
  task.execution_status === 'in_progress' ||
  (task.hint !== null && task.hint.code !== 'needs');

export const projectsQuery = () =>
  infiniteQueryOptions({
    queryKey: keys.projects,
    queryFn: ({ pageParam, signal }) => api.listProjects(pageParam, signal),
    ...paging,
  });

export const projectQuery = (id: string) =>
  queryOptions({ queryKey: keys.project(id), queryFn: ({ signal }) => api.getProject(id, signal) });

export const statsQuery = (projectId: string) =>
  queryOptions({ queryKey: keys.stats(projectId), queryFn: ({ signal }) => api.getStats(projectId, signal) });

/** The 100 newest tasks, of one status if it is given. */
export const tasksQuery = (projectId: string, status: ExecutionStatus | null = null) =>
  queryOptions({
    queryKey: [...keys.tasks(projectId), status ?? 'all'],
    queryFn: ({ signal }) => api.listTasks(projectId, status, signal),
    refetchInterval: (query) => (query.state.data?.items.some(isActive) ? WAITING_REFRESH_MS : untilHealed(query)),
  });

export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: keys.task(id),
    queryFn: ({ signal }) => api.getTask(id, signal),
    refetchInterval: (query) =>
      query.state.data && isActive(query.state.data) ? WAITING_REFRESH_MS : untilHealed(query),
  });

export const taskLogQuery = (id: string) =>
  queryOptions({ queryKey: [...keys.task(id), 'log'], queryFn: ({ signal }) => api.getTaskLog(id, signal) });

export const runsQuery = (projectId: string) =>
  queryOptions({ queryKey: keys.runs(projectId), queryFn: ({ signal }) => api.listRuns({ projectId }, signal) });

export const taskRunsQuery = (projectId: string, taskId: string) =>
  queryOptions({
    queryKey: [...keys.runs(projectId), taskId],
    queryFn: ({ signal }) => api.listRuns({ projectId, taskId, limit: 10 }, signal),
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: keys.run(id),
    queryFn: ({ signal }) => api.getRun(id, signal),
    refetchInterval: (query) => {
      const status = query.state.data?.status;
      return status === 'queued' || status === 'running' ? WAITING_REFRESH_MS : untilHealed(query);
    },
  });

export const artifactsQuery = (runId: string) =>
  queryOptions({ queryKey: keys.artifacts(runId), queryFn: ({ signal }) => api.listRunArtifacts(runId, signal) });

export const outputsQuery = (projectId: string, review: Review | 'all') =>
  infiniteQueryOptions({
    queryKey: [...keys.outputs(projectId), review],
    queryFn: ({ pageParam, signal }) => api.listOutputs(projectId, review, pageParam, signal),
    ...paging,
  });

export const outputQuery = (id: string) =>
  queryOptions({ queryKey: keys.output(id), queryFn: ({ signal }) => api.getOutput(id, signal) });

/** With the lists of its project, since a new version is a new output there. */
export const versionsQuery = (output: Output) =>
  queryOptions({
    queryKey: [...keys.outputs(output.project_id), 'versions', output.id],
    queryFn: ({ signal }) => api.listVersions(output.id, signal),
  });

/** Two outputs never change any more. */
export const comparisonQuery = (id: string, from: string) =>
  queryOptions({
    queryKey: ['comparison', id, from],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => api.compareOutputs(id, from, signal),
  });

export const memoriesQuery = (projectId: string, scope: MemoryScope) =>
  infiniteQueryOptions({
    queryKey: [...keys.memories(projectId), scope],
    queryFn: ({ pageParam, signal }) => api.listMemories(projectId, scope, pageParam, signal),
    ...paging,
  });

/** What was found before stays while something else is looked for. */
export const memorySearchQuery = (projectId: string, q: string) =>
  queryOptions({
    queryKey: [...keys.memories(projectId), 'search', q],
    queryFn: ({ signal }) => api.searchMemories(projectId, q, signal),
    placeholderData: keepPreviousData,
  });

export const messagesQuery = (projectId: string) =>
  infiniteQueryOptions({
    queryKey: keys.messages(projectId),
    queryFn: ({ pageParam, signal }) => api.listMessages(projectId, pageParam, signal),
    ...paging,
  });

/** The newest versions, and the newest draft; without hints, a draft under way is looked at again by itself. */
export const plansQuery = (projectId: string) =>
  queryOptions({
    queryKey: [...keys.plans(projectId), 'list'],
    queryFn: ({ signal }) => api.listPlans(projectId, signal),
    refetchInterval: (query) => (isDrafting(query.state.data?.draft ?? null) ? WAITING_REFRESH_MS : untilHealed(query)),
  });

export const isDrafting = (draft: PlanDraft | null) =>
  draft !== null && !['completed', 'failed', 'canceled'].includes(draft.execution_status);

export const planQuery = (projectId: string, version: number) =>
  queryOptions({
    queryKey: [...keys.plans(projectId), 'version', version],
    queryFn: ({ signal }) => api.getPlan(projectId, version, signal),
  });

export const planComparisonQuery = (projectId: string, from: number, to: number) =>
  queryOptions({
    queryKey: [...keys.plans(projectId), 'compare', from, to],
    queryFn: ({ signal }) => api.comparePlans(projectId, from, to, signal),
  });

export const charterQuery = (projectId: string) =>
  queryOptions({
    queryKey: [...keys.plans(projectId), 'charter'],
    queryFn: ({ signal }) => api.getCharter(projectId, signal),
  });

export const contactsQuery = (projectId: string, q: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.contacts(projectId), q],
    queryFn: ({ pageParam, signal }) => api.listContacts(projectId, q, pageParam, signal),
    ...paging,
    placeholderData: keepPreviousData,
  });

/** Without hints, what is being read is looked at again by itself. */
export const documentsQuery = (projectId: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.documents(projectId), 'list'],
    queryFn: ({ pageParam, signal }) => api.listDocuments(projectId, pageParam, signal),
    ...paging,
    refetchInterval: (query) => {
      const documents = query.state.data?.pages.flatMap((page) => page.items) ?? [];
      const unread = documents.some(({ state }) => state === 'waiting' || state === 'reading');
      return unread ? WAITING_REFRESH_MS : untilHealed(query);
    },
  });

export const documentSearchQuery = (projectId: string, q: string) =>
  queryOptions({
    queryKey: [...keys.documents(projectId), 'search', q],
    queryFn: ({ signal }) => api.searchDocuments(projectId, q, signal),
    placeholderData: keepPreviousData,
  });

export const offersQuery = (projectId: string) =>
  infiniteQueryOptions({
    queryKey: keys.offers(projectId),
    queryFn: ({ pageParam, signal }) => api.listOffers(projectId, pageParam, signal),
    ...paging,
  });

export const offerQuery = (projectId: string, id: string) =>
  queryOptions({
    queryKey: [...keys.offers(projectId), 'one', id],
    queryFn: ({ signal }) => api.getOffer(id, signal),
  });

export const leadsQuery = (projectId: string, filter: api.LeadFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.leads(projectId), 'list', filter],
    queryFn: ({ pageParam, signal }) => api.listLeads(projectId, filter, pageParam, signal),
    ...paging,
    placeholderData: keepPreviousData,
  });

export const leadsSummaryQuery = (projectId: string) =>
  queryOptions({
    queryKey: [...keys.leads(projectId), 'summary'],
    queryFn: ({ signal }) => api.getLeadsSummary(projectId, signal),
  });

export const notesQuery = (leadId: string) =>
  infiniteQueryOptions({
    queryKey: keys.notes(leadId),
    queryFn: ({ pageParam, signal }) => api.listNotes(leadId, pageParam, signal),
    ...paging,
  });

export const setupQuery = () =>
  queryOptions({
    queryKey: [...keys.system, 'setup'],
    queryFn: ({ signal }) => api.getSetup(signal),
    refetchInterval: SYSTEM_REFRESH_MS,
  });

export const workersQuery = () =>
  queryOptions({
    queryKey: [...keys.system, 'workers'],
    queryFn: ({ signal }) => api.getWorkerHealth(signal),
    refetchInterval: SYSTEM_REFRESH_MS,
  });

export const healthQuery = () =>
  queryOptions({
    queryKey: [...keys.system, 'health'],
    queryFn: ({ signal }) => api.getHealth(signal),
    refetchInterval: SYSTEM_REFRESH_MS,
  });

export const providersQuery = () =>
  queryOptions({
    queryKey: [...keys.system, 'providers'],
    queryFn: ({ signal }) => api.listProviders(signal),
    refetchInterval: SYSTEM_REFRESH_MS,
  });

/** They change with the version of the workers only. */
export const agentsQuery = () =>
  queryOptions({
    queryKey: [...keys.system, 'agents'],
    queryFn: ({ signal }) => api.listAgents(signal),
    refetchInterval: untilHealed,
  });

/** What was found before stays while something else is looked for. */
export const modelsQuery = (q: string) =>
  queryOptions({
    queryKey: [...keys.system, 'models', q],
    queryFn: ({ signal }) => api.listModels(q, signal),
    placeholderData: keepPreviousData,
    refetchInterval: SYSTEM_REFRESH_MS,
  });

export const queuesQuery = () =>
  queryOptions({
    queryKey: [...keys.queue, 'queues'],
    queryFn: ({ signal }) => api.listQueues(signal),
    refetchInterval: (query) => steadily(query, QUEUE_REFRESH_MS),
  });

/** Each page of a list is a request, so a longer list is asked for less often. */
const perPage = (data: { pages: unknown[] } | undefined) => QUEUE_REFRESH_MS * (data?.pages.length ?? 1);

export const jobsQuery = (filter: api.JobFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.queue, 'jobs', filter],
    queryFn: ({ pageParam, signal }) => api.listJobs(filter, pageParam, signal),
    ...paging,
    refetchInterval: (query) => steadily(query, perPage(query.state.data)),
  });

export const limitsQuery = () =>
  infiniteQueryOptions({
    queryKey: [...keys.queue, 'limits'],
    queryFn: ({ pageParam, signal }) => api.listLimits(pageParam, signal),
    ...paging,
    refetchInterval: (query) => steadily(query, perPage(query.state.data)),
  });
