// Every call the pages make, one function each. Pages use these through react-query and never name a path themselves.
import { http, unwrap, unwrapPage, upload, withQuery } from './http';
import { abortable, page, type Signal } from './options';
import type {
  Attachment,
  BudgetInput,
  BudgetScope,
  BulkAction,
  BulkFilter,
  Call,
  Commit,
  Contact,
  ContactInput,
  ContactPatch,
  Decision,
  Document,
  ExecutionStatus,
  FileBody,
  InstalledTemplate,
  Job,
  JobState,
  Lead,
  LeadField,
  LeadImport,
  LeadInput,
  LeadNote,
  LeadPatch,
  LeadStage,
  Limit,
  LimitInput,
  LogLevel,
  Memory,
  MemoryInput,
  MemoryPatch,
  MemoryScope,
  Message,
  Model,
  Offer,
  OfferInput,
  OfferPatch,
  Output,
  PlanAnswerInput,
  Project,
  Publication,
  Review,
  Reviewed,
  Run,
  Spending,
  Target,
  Task,
  TemplateInstall,
} from './types';

const idempotent = (key: string) => ({ 'Idempotency-Key': key });

// Projects -----------------------------------------------------------------------------------------------------------

export interface ProjectInput {
  name: string;
  type: string;
  description: string;
}

/** A spec may hold anything, which the document can only say as an object without known fields. */
const projectBody = (input: ProjectInput, spec: object = {}) => ({
  name: input.name.trim(),
  type: input.type.trim() || 'general',
  spec: { ...spec, description: input.description.trim() } as object as Record<string, never>,
});

export const listProjects = (cursor: string | null, signal?: Signal) =>
  unwrapPage<Project>(http.GET('/api/projects', { params: { query: page(cursor) }, ...abortable(signal) }));
export const getProject = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/projects/{id}', { params: { path: { id } }, ...abortable(signal) }));
export const getStats = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/projects/{id}/stats', { params: { path: { id } }, ...abortable(signal) }));
export const createProject = (input: ProjectInput, key: string) =>
  unwrap(http.POST('/api/projects', { params: { header: idempotent(key) }, body: projectBody(input) }));
export const updateProject = (project: Project, input: ProjectInput) => {
  const spec = typeof project.spec === 'object' && project.spec !== null ? project.spec : {};
  return unwrap(
    http.PATCH('/api/projects/{id}', { params: { path: { id: project.id } }, body: projectBody(input, spec) }),
  );
};
export const deleteProject = (id: string) => unwrap(http.DELETE('/api/projects/{id}', { params: { path: { id } } }));

// Templates and pipelines ----------------------------------------------------------------------------------------------

export const listTemplates = (q: string, cursor: string | null, signal?: Signal) =>
  unwrap(
    http.GET('/api/templates', {
      params: { query: { ...page(cursor), ...(q === '' ? {} : { q }) } },
      ...abortable(signal),
    }),
  );
export const getTemplate = (reference: string, signal?: Signal) =>
  unwrap(http.GET('/api/templates/{reference}', { params: { path: { reference } }, ...abortable(signal) }));

/** Where a template lies in a git repository; what is empty is left to the server. */
export interface GitSource {
  git: string;
  ref: string;
  directory: string;
}

/** A worker fetches it; `listTemplateInstalls` says how far it is. */
export const installFromGit = ({ git, ref, directory }: GitSource, key: string) => {
  const said = (name: string, text: string) => (text.trim() === '' ? {} : { [name]: text.trim() });
  return unwrap(
    http.POST('/api/templates/install', {
      params: { header: idempotent(key) },
      body: { git: git.trim(), ...said('ref', ref), ...said('directory', directory) },
    }),
  ) as Promise<TemplateInstall>;
};
export const installFromArchive = (archive: string) =>
  unwrap(http.POST('/api/templates/install', { body: { archive } })) as Promise<InstalledTemplate>;
export const listTemplateInstalls = (limit: number, signal?: Signal) =>
  unwrapPage<TemplateInstall>(
    http.GET('/api/templates/installs', { params: { query: { limit } }, ...abortable(signal) }),
  );
export const uninstallTemplate = (reference: string) =>
  unwrap(http.DELETE('/api/templates/{reference}', { params: { path: { reference } } }));

/** What is left out is chosen by the server. */
export interface Deployment {
  target?: Target;
  /** The name of a deploy hook, for that target. */
  hook?: string;
}

export interface TemplateInput extends Deployment {
  name: string;
  template: string;
  inputs: Record<string, unknown>;
}

/** The inputs are objects without known fields, as the spec is. */
const openObject = (value: object) => value as Record<string, never>;

/** The project and the task that makes it, all or nothing. What the template calls a description is the project's too. */
export const createFromTemplate = ({ name, template, inputs, ...deployment }: TemplateInput, key: string) => {
  const { description } = inputs;
  return unwrap(
    http.POST('/api/projects', {
      params: { header: idempotent(key) },
      body: {
        name: name.trim(),
        type: template.split('@')[0]?.split('/').at(-1) ?? 'general',
        template_ref: template,
        inputs: openObject(inputs),
        ...(typeof description === 'string' ? { spec: openObject({ description }) } : {}),
        ...deployment,
      },
    }),
  );
};

export interface PipelineInput extends Deployment {
  template?: string;
  inputs?: object;
}

export const startPipeline = (id: string, { inputs, ...rest }: PipelineInput, key: string) =>
  unwrap(
    http.POST('/api/projects/{id}/pipelines', {
      params: { path: { id }, header: idempotent(key) },
      body: { ...rest, ...(inputs === undefined ? {} : { inputs: openObject(inputs) }) },
    }),
  );

/** Null when nothing was ever to be seen. */
export const getPreview = async (id: string, signal?: Signal) => {
  const state = await unwrap(
    http.GET('/api/projects/{id}/preview', { params: { path: { id } }, ...abortable(signal) }),
  );
  return state.preview ?? null;
};
export const startPreview = (id: string) =>
  unwrap(http.POST('/api/projects/{id}/preview/start', { params: { path: { id } } }));
export const stopPreview = (id: string) =>
  unwrap(http.POST('/api/projects/{id}/preview/stop', { params: { path: { id } } }));
export const listPublications = (id: string, limit: number, signal?: Signal) =>
  unwrapPage<Publication>(
    http.GET('/api/projects/{id}/publications', { params: { path: { id }, query: { limit } }, ...abortable(signal) }),
  );

// Tasks --------------------------------------------------------------------------------------------------------------

export const listTasks = (id: string, status: ExecutionStatus | null, signal?: Signal) =>
  unwrapPage<Task>(
    http.GET('/api/projects/{id}/tasks', {
      params: { path: { id }, query: { limit: 100, ...(status === null ? {} : { status }) } },
      ...abortable(signal),
    }),
  );
export const getTask = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/tasks/{id}', { params: { path: { id } }, ...abortable(signal) }));
export const getTaskLog = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/tasks/{id}/log', { params: { path: { id } }, ...abortable(signal) }));
export const cancelTask = (id: string) => unwrap(http.POST('/api/tasks/{id}/cancel', { params: { path: { id } } }));
/** Starts or re-runs a task; without waiting the answer comes as soon as the run exists, the rest arrives live. */
export const executeTask = (id: string) =>
  unwrap(http.POST('/api/tasks/execute', { body: { task_id: id, wait_seconds: 0 } }));

/** What nobody but a person was to do is done. */
export const completeTask = (id: string) => unwrap(http.POST('/api/tasks/{id}/complete', { params: { path: { id } } }));

// Plans --------------------------------------------------------------------------------------------------------------

export interface Wish {
  /** None for a new project. */
  projectId: string | null;
  wish: string;
}

export const reiterate = ({ projectId, wish }: Wish, key: string) =>
  unwrap(
    http.POST('/api/projects/reiterate', {
      params: { header: idempotent(key) },
      body: {
        ...(projectId === null ? {} : { project_id: projectId }),
        ...(wish.trim() === '' ? {} : { wish: wish.trim() }),
      },
    }),
  );
export const listPlans = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/projects/{id}/plans', { params: { path: { id }, query: page(null) }, ...abortable(signal) }));
export const getPlan = (id: string, version: number, signal?: Signal) =>
  unwrap(http.GET('/api/projects/{id}/plans/{version}', { params: { path: { id, version } }, ...abortable(signal) }));
export const comparePlans = (id: string, from: number, to: number, signal?: Signal) =>
  unwrap(
    http.GET('/api/projects/{id}/plans/compare', {
      params: { path: { id }, query: { from, to } },
      ...abortable(signal),
    }),
  );
/** Keeps one answer; the next version is asked for apart. */
export const answerPlan = (id: string, version: number, answer: PlanAnswerInput) =>
  unwrap(
    http.POST('/api/projects/{id}/plan/answers', {
      params: { path: { id } },
      body: { version, answers: [answer], refine: false },
    }),
  );
export const approvePlan = (id: string, version: number) =>
  unwrap(http.POST('/api/projects/{id}/plan/approve', { params: { path: { id } }, body: { version } }));
export const refusePlan = (id: string, version: number, reason: string) =>
  unwrap(
    http.POST('/api/projects/{id}/plan/refuse', {
      params: { path: { id } },
      body: { version, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) },
    }),
  );
export const getCharter = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/projects/{id}/charter', { params: { path: { id } }, ...abortable(signal) }));

// Runs ---------------------------------------------------------------------------------------------------------------

export const listRuns = (filter: { projectId: string; taskId?: string; limit?: number }, signal?: Signal) =>
  unwrapPage<Run>(
    http.GET('/api/runs', {
      params: {
        query: {
          project_id: filter.projectId,
          limit: filter.limit ?? 20,
          ...(filter.taskId === undefined ? {} : { task_id: filter.taskId }),
        },
      },
      ...abortable(signal),
    }),
  );
export const getRun = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/runs/{id}', { params: { path: { id } }, ...abortable(signal) }));
export const cancelRun = (id: string) => unwrap(http.POST('/api/runs/{id}/cancel', { params: { path: { id } } }));
export const listRunEvents = (id: string, after: number, limit: number, signal?: Signal) =>
  unwrap(
    http.GET('/api/runs/{id}/events', { params: { path: { id }, query: { after, limit } }, ...abortable(signal) }),
  );
/** The calls of models that it has made, the oldest first. */
export const listRunCalls = (id: string, cursor: string | null, signal?: Signal) =>
  unwrapPage<Call>(
    http.GET('/api/runs/{id}/calls', { params: { path: { id }, query: page(cursor) }, ...abortable(signal) }),
  );
export const listRunArtifacts = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/runs/{id}/artifacts', { params: { path: { id } }, ...abortable(signal) }));

// Files --------------------------------------------------------------------------------------------------------------

/** As many as one page can hold. */
const FILES_PER_PAGE = 1000;

export const listFiles = (id: string, cursor: string | null, signal?: Signal) =>
  unwrap(
    http.GET('/api/projects/{id}/files', {
      params: { path: { id }, query: page(cursor, FILES_PER_PAGE) },
      ...abortable(signal),
    }),
  );
/** Where the bytes of a file are, as they are now or as they were in a commit. */
export const fileUrl = (id: string, path: string, at?: string) =>
  withQuery(`/api/projects/${id}/files/${path.split('/').map(encodeURIComponent).join('/')}`, { at });
/** Only over what was read: `tag` is its id, null for a file that is not there yet. */
export const putFile = (id: string, path: string, body: FileBody, tag: string | null) =>
  unwrap(
    http.PUT('/api/projects/{id}/files/{path}', {
      params: { path: { id, path }, header: tag === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${tag}"` } },
      body,
    }),
  );
export const deleteFile = (id: string, path: string, tag: string) =>
  unwrap(
    http.DELETE('/api/projects/{id}/files/{path}', {
      params: { path: { id, path }, header: { 'If-Match': `"${tag}"` } },
    }),
  );
export const listCommits = (id: string, path: string | null, cursor: string | null, signal?: Signal) =>
  unwrapPage<Commit>(
    http.GET('/api/projects/{id}/git/log', {
      params: { path: { id }, query: { ...page(cursor), ...(path === null ? {} : { path }) } },
      ...abortable(signal),
    }),
  );
export const getDiff = (id: string, to: string, signal?: Signal) =>
  unwrap(http.GET('/api/projects/{id}/git/diff', { params: { path: { id }, query: { to } }, ...abortable(signal) }));

// Logs ---------------------------------------------------------------------------------------------------------------

export interface LogFilter {
  level: LogLevel;
  q: string;
}
export interface LogScope {
  projectId?: string;
  runId?: string;
}

const logQuery = (filter: LogFilter) => ({
  ...(filter.level === 'debug' ? {} : { level: filter.level }),
  ...(filter.q === '' ? {} : { q: filter.q }),
});

export function listLogs(scope: LogScope, filter: LogFilter, cursor: string | null, limit: number, signal?: Signal) {
  const query = { ...logQuery(filter), ...page(cursor, limit), order: 'desc' as const };
  if (scope.runId !== undefined) {
    return unwrap(
      http.GET('/api/runs/{id}/logs', { params: { path: { id: scope.runId }, query }, ...abortable(signal) }),
    );
  }
  const id = scope.projectId ?? '';
  return unwrap(http.GET('/api/projects/{id}/logs', { params: { path: { id }, query }, ...abortable(signal) }));
}

export function logDownloadUrl(scope: LogScope, filter: LogFilter, download: 'text' | 'jsonl'): string {
  const path = scope.runId ? `/api/runs/${scope.runId}/logs` : `/api/projects/${scope.projectId}/logs`;
  return withQuery(path, { ...logQuery(filter), download });
}

// Outputs, messages --------------------------------------------------------------------------------------------------

export const listOutputs = (id: string, review: Review | 'all', cursor: string | null, signal?: Signal) =>
  unwrapPage<Output>(
    http.GET('/api/projects/{id}/outputs', {
      params: { path: { id }, query: { ...page(cursor), ...(review === 'all' ? {} : { review }) } },
      ...abortable(signal),
    }),
  );
export const getOutput = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/outputs/{id}', { params: { path: { id } }, ...abortable(signal) }));
export const outputContentUrl = (id: string) => `/api/outputs/${id}/content`;
export const artifactUrl = (id: string) => `/api/artifacts/${id}/content`;
export const listVersions = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/outputs/{id}/versions', { params: { path: { id } }, ...abortable(signal) }));
export const compareOutputs = (id: string, from: string, signal?: Signal) =>
  unwrap(http.GET('/api/outputs/{id}/diff', { params: { path: { id }, query: { from } }, ...abortable(signal) }));
export async function decideOutput(id: string, decision: Decision, comment: string): Promise<Reviewed> {
  const said = comment.trim() === '' ? {} : { comment: comment.trim() };
  const params = { path: { id } };
  if (decision === 'approve') {
    const output = await unwrap(http.POST('/api/outputs/{id}/approve', { params, body: said }));
    return { ...output, next_run_id: null };
  }
  const body = { ...said, run_again: decision === 'again' };
  return unwrap(http.POST('/api/outputs/{id}/reject', { params, body }));
}

export const listMessages = (id: string, cursor: string | null, signal?: Signal) =>
  unwrapPage<Message>(
    http.GET('/api/projects/{id}/messages', { params: { path: { id }, query: page(cursor) }, ...abortable(signal) }),
  );
export interface MessageInput {
  content: string;
  agent?: string;
  model?: string;
  attachments?: string[];
}
export const sendMessage = (id: string, body: MessageInput, key: string) =>
  unwrap(http.POST('/api/projects/{id}/messages', { params: { path: { id }, header: idempotent(key) }, body }));

export interface FileInput {
  name: string;
  /** Found out by the server when it is not given. */
  media_type?: string;
  /** Base64. */
  data: string;
}
export const createAttachment = (id: string, body: FileInput, key: string): Promise<Attachment> =>
  unwrap(http.POST('/api/projects/{id}/attachments', { params: { path: { id }, header: idempotent(key) }, body }));
export const attachmentUrl = (id: string) => `/api/attachments/${id}/content`;

// Memory -------------------------------------------------------------------------------------------------------------

export const listMemories = (id: string, scope: MemoryScope, cursor: string | null, signal?: Signal) =>
  unwrapPage<Memory>(
    http.GET('/api/projects/{id}/memories', {
      params: { path: { id }, query: { scope, ...page(cursor) } },
      ...abortable(signal),
    }),
  );
export const searchMemories = (id: string, q: string, signal?: Signal) =>
  unwrap(
    http.GET('/api/projects/{id}/memories/search', { params: { path: { id }, query: { q } }, ...abortable(signal) }),
  );
export const createMemory = (id: string, input: MemoryInput, key: string) =>
  unwrap(http.POST('/api/projects/{id}/memories', { params: { path: { id }, header: idempotent(key) }, body: input }));
export const updateMemory = (id: string, patch: MemoryPatch) =>
  unwrap(http.PATCH('/api/memories/{id}', { params: { path: { id } }, body: patch }));
export const deleteMemory = (id: string) => unwrap(http.DELETE('/api/memories/{id}', { params: { path: { id } } }));
export const memoryExportUrl = (id: string) => `/api/projects/${id}/memories/export`;

/** All that a project remembers, what it remembers about a person, or what all projects do. */
export type Erasure = { what: 'project' } | { what: 'person'; person: string } | { what: 'everywhere'; person: string };

export function eraseMemories(id: string, erasure: Erasure) {
  const body = erasure.what === 'project' ? { confirm: true } : { confirm: true, person: erasure.person.trim() };
  if (erasure.what === 'everywhere') return unwrap(http.POST('/api/memories/erase', { body }));
  return unwrap(http.POST('/api/projects/{id}/memories/erase', { params: { path: { id } }, body }));
}

// Contacts and documents ---------------------------------------------------------------------------------------------

export const listContacts = (id: string, q: string, cursor: string | null, signal?: Signal) =>
  unwrapPage<Contact>(
    http.GET('/api/projects/{id}/contacts', {
      params: { path: { id }, query: { ...page(cursor), ...(q === '' ? {} : { q }) } },
      ...abortable(signal),
    }),
  );
export const createContact = (id: string, body: ContactInput, key: string) =>
  unwrap(http.POST('/api/projects/{id}/contacts', { params: { path: { id }, header: idempotent(key) }, body }));
export const updateContact = (id: string, body: ContactPatch) =>
  unwrap(http.PATCH('/api/contacts/{id}', { params: { path: { id } }, body }));
export const deleteContact = (id: string) => unwrap(http.DELETE('/api/contacts/{id}', { params: { path: { id } } }));

export const listDocuments = (id: string, cursor: string | null, signal?: Signal) =>
  unwrapPage<Document>(
    http.GET('/api/projects/{id}/documents', { params: { path: { id }, query: page(cursor) }, ...abortable(signal) }),
  );
export const searchDocuments = (id: string, q: string, signal?: Signal) =>
  unwrap(
    http.GET('/api/projects/{id}/documents/search', { params: { path: { id }, query: { q } }, ...abortable(signal) }),
  );
/** What it is, the server finds out: a browser often does not know. */
export const uploadDocument = (id: string, file: File, key: string): Promise<Document> =>
  upload(withQuery(`/api/projects/${id}/documents`, { name: file.name }), file, 'application/octet-stream', key);
export const deleteDocument = (id: string) => unwrap(http.DELETE('/api/documents/{id}', { params: { path: { id } } }));
export const documentUrl = (id: string) => `/api/documents/${id}/download`;

// Sales --------------------------------------------------------------------------------------------------------------

export const listOffers = (id: string, cursor: string | null, signal?: Signal) =>
  unwrapPage<Offer>(
    http.GET('/api/projects/{id}/offers', { params: { path: { id }, query: page(cursor) }, ...abortable(signal) }),
  );
export const createOffer = (id: string, body: OfferInput, key: string) =>
  unwrap(http.POST('/api/projects/{id}/offers', { params: { path: { id }, header: idempotent(key) }, body }));
export const getOffer = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/offers/{id}', { params: { path: { id } }, ...abortable(signal) }));
export const updateOffer = (id: string, body: OfferPatch) =>
  unwrap(http.PATCH('/api/offers/{id}', { params: { path: { id } }, body }));
export const deleteOffer = (id: string) => unwrap(http.DELETE('/api/offers/{id}', { params: { path: { id } } }));

export interface LeadFilter {
  stage: LeadStage | 'all';
  q: string;
}

export const listLeads = (id: string, filter: LeadFilter, cursor: string | null, signal?: Signal) => {
  const { stage, q } = filter;
  const query = { ...page(cursor), ...(stage === 'all' ? {} : { stage }), ...(q === '' ? {} : { q }) };
  return unwrapPage<Lead>(
    http.GET('/api/projects/{id}/leads', { params: { path: { id }, query }, ...abortable(signal) }),
  );
};
export const getLeadsSummary = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/projects/{id}/leads/summary', { params: { path: { id } }, ...abortable(signal) }));
export const createLead = (id: string, body: LeadInput, key: string) =>
  unwrap(http.POST('/api/projects/{id}/leads', { params: { path: { id }, header: idempotent(key) }, body }));
export const updateLead = (id: string, body: LeadPatch) =>
  unwrap(http.PATCH('/api/leads/{id}', { params: { path: { id } }, body }));
export const deleteLead = (id: string) => unwrap(http.DELETE('/api/leads/{id}', { params: { path: { id } } }));
export const listNotes = (id: string, cursor: string | null, signal?: Signal) =>
  unwrapPage<LeadNote>(
    http.GET('/api/leads/{id}/notes', { params: { path: { id }, query: page(cursor) }, ...abortable(signal) }),
  );
export const addNote = (id: string, content: string, key: string) =>
  unwrap(http.POST('/api/leads/{id}/notes', { params: { path: { id }, header: idempotent(key) }, body: { content } }));
export const deleteNote = (id: string) => unwrap(http.DELETE('/api/lead-notes/{id}', { params: { path: { id } } }));

/** Which column of a table is read as what, by its header. */
export type LeadMapping = Partial<Record<LeadField, string>>;

export const importLeads = (id: string, table: Blob, mapping: LeadMapping, dryRun: boolean, key: string) =>
  upload<LeadImport>(
    withQuery(`/api/projects/${id}/leads/import`, { ...mapping, dry_run: String(dryRun) }),
    table,
    'text/csv',
    key,
  );
export const leadsExportUrl = (id: string) => `/api/projects/${id}/leads/export`;

// Budgets ------------------------------------------------------------------------------------------------------------

/** What a budget is for; the installation has no id. */
export interface BudgetPlace {
  scope: BudgetScope;
  id: string;
}

export const INSTALLATION: BudgetPlace = { scope: 'installation', id: '' };

export function getSpending({ scope, id }: BudgetPlace, signal?: Signal): Promise<Spending> {
  const options = { params: { path: { id } }, ...abortable(signal) };
  if (scope === 'project') return unwrap(http.GET('/api/projects/{id}/budget', options));
  if (scope === 'task') return unwrap(http.GET('/api/tasks/{id}/budget', options));
  if (scope === 'run') return unwrap(http.GET('/api/runs/{id}/budget', options));
  return unwrap(http.GET('/api/budget', abortable(signal)));
}
export function saveBudget({ scope, id }: BudgetPlace, body: BudgetInput): Promise<Spending> {
  const options = { params: { path: { id } }, body };
  if (scope === 'project') return unwrap(http.PUT('/api/projects/{id}/budget', options));
  if (scope === 'task') return unwrap(http.PUT('/api/tasks/{id}/budget', options));
  if (scope === 'run') return unwrap(http.PUT('/api/runs/{id}/budget', options));
  return unwrap(http.PUT('/api/budget', { body }));
}
export function removeBudget({ scope, id }: BudgetPlace) {
  const options = { params: { path: { id } } };
  if (scope === 'project') return unwrap(http.DELETE('/api/projects/{id}/budget', options));
  if (scope === 'task') return unwrap(http.DELETE('/api/tasks/{id}/budget', options));
  if (scope === 'run') return unwrap(http.DELETE('/api/runs/{id}/budget', options));
  return unwrap(http.DELETE('/api/budget', {}));
}

// Queue --------------------------------------------------------------------------------------------------------------

export interface JobFilter {
  /** Without one, all jobs that are still to be done. */
  state?: JobState;
  queue?: string;
  kind?: string;
  project?: string;
}

export const listQueues = (signal?: Signal) => unwrap(http.GET('/api/queues', abortable(signal)));
export const pauseQueue = (name: string, reason: string) => {
  const said = reason.trim();
  const body = said === '' ? {} : { reason: said };
  return unwrap(http.POST('/api/queues/{name}/pause', { params: { path: { name } }, body }));
};
export const resumeQueue = (name: string) =>
  unwrap(http.POST('/api/queues/{name}/resume', { params: { path: { name } } }));

export const listJobs = ({ project, ...filter }: JobFilter, cursor: string | null, signal?: Signal) =>
  unwrapPage<Job>(
    http.GET('/api/jobs', {
      params: { query: { ...filter, ...(project === undefined ? {} : { project_id: project }), ...page(cursor) } },
      ...abortable(signal),
    }),
  );

/** With `preview` it only counts. At most 1,000 jobs are changed by one call; the answer says how many remain. */
export const bulkJobs = (action: BulkAction, filter: BulkFilter, preview = false) =>
  unwrap(http.POST('/api/jobs/bulk', { body: { action, filter, ...(preview ? { preview } : {}) } }));

export const listLimits = (cursor: string | null, signal?: Signal) =>
  unwrapPage<Limit>(http.GET('/api/limits', { params: { query: page(cursor) }, ...abortable(signal) }));
export const saveLimit = (key: string, input: LimitInput) =>
  unwrap(http.PUT('/api/limits/{key}', { params: { path: { key } }, body: input }));
export const deleteLimit = (key: string) => unwrap(http.DELETE('/api/limits/{key}', { params: { path: { key } } }));

// System -------------------------------------------------------------------------------------------------------------

export const getHealth = (signal?: Signal) => unwrap(http.GET('/api/health', abortable(signal)));
export const getWorkerHealth = (signal?: Signal) => unwrap(http.GET('/api/worker/health', abortable(signal)));
export const listProviders = (signal?: Signal) => unwrap(http.GET('/api/providers', abortable(signal)));
/** By name; of many the first fifty, so that a part of a name is what finds one. */
export const listModels = (q: string, signal?: Signal) =>
  unwrapPage<Model>(http.GET('/api/models', { params: { query: q === '' ? {} : { q } }, ...abortable(signal) }));
export const listAgents = (signal?: Signal) => unwrap(http.GET('/api/agents', abortable(signal)));
export const getSetup = (signal?: Signal) => unwrap(http.GET('/api/setup', abortable(signal)));
