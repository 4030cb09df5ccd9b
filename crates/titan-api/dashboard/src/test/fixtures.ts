// Complete objects of the contract for tests, each changed where the test needs it.
import type { LogLine, Message, Output, Project, ProjectStats, Run, RunEvent, Task } from '../api/types';

const AT = '2026-11-21T10:00:00.000Z';

export const statsOf = (tasks: Partial<ProjectStats['tasks']> = {}): ProjectStats => ({
  tasks: {
    total: 0,
    pending: 0,
    queued: 0,
    in_progress: 0,
    paused: 0,
    blocked: 0,
    completed: 0,
    failed: 0,
    canceled: 0,
    ...tasks,
  },
  runs: { total: 0, queued: 0, running: 0, completed: 0, failed: 0, canceled: 0 },
  memories: 0,
  outputs: { total: 0, pending: 0, approved: 0, rejected: 0 },
});

export const aProject = (over: Partial<Project> = {}): Project => ({
  id: 'p1',
  name: 'My Web App',
  type: 'web-app',
  template_ref: null,
  spec: {},
  created_at: AT,
  updated_at: AT,
  stats: statsOf(),
  ...over,
});

export const aTask = (over: Partial<Task> = {}): Task => ({
  id: 't1',
  project_id: 'p1',
  parent_task_id: null,
  type: 'chat',
  title: 'Say hello',
  payload: { content: 'Say hello' },
  execution_type: 'fully_automated',
  execution_status: 'queued',
  status: 'queued',
  assigned_to_type: null,
  assigned_to_id: null,
  priority: 0,
  ai_confidence: null,
  ai_context: null,
  blocked_reason: null,
  failure_reason: null,
  retry_count: 0,
  max_retries: 3,
  latest_run: null,
  hint: null,
  created_at: AT,
  started_at: null,
  completed_at: null,
  ...over,
});

export const aRun = (over: Partial<Run> = {}): Run => ({
  id: 'r1',
  task_id: 't1',
  project_id: 'p1',
  parent_run_id: null,
  retry_of: null,
  workflow: 'chat',
  status: 'running',
  stage: 'processing',
  waiting_on: null,
  waiting_since: null,
  waiting_until: null,
  waiting_reason: null,
  paused_at: null,
  cancel_requested_at: null,
  attempt: 1,
  trace_id: 'abcdef0123456789',
  created_at: AT,
  started_at: AT,
  finished_at: null,
  error: null,
  usage: { input_tokens: 0, output_tokens: 0, cost: null },
  last_seq: 0,
  hint: null,
  steps: [],
  ...over,
});

export const anEvent = (seq: number, over: Partial<RunEvent> = {}): RunEvent => ({
  run_id: 'r1',
  seq,
  at: AT,
  kind: 'log',
  task_id: 't1',
  project_id: 'p1',
  step: null,
  level: null,
  message: null,
  data: {},
  ...over,
});

export const aDelta = (seq: number, offset: number, text: string, attempt = 1, step = 1): RunEvent =>
  anEvent(seq, { kind: 'delta', step, data: { step, attempt, offset, text } });

export const aLine = (seq: number, over: Partial<LogLine> = {}): LogLine => ({
  timestamp: `2026-11-21T10:00:00.${String(seq).padStart(3, '0')}Z`,
  level: 'info',
  message: `line ${seq}`,
  task_id: 't1',
  run_id: 'r1',
  step: null,
  seq,
  ...over,
});

export const aMessage = (over: Partial<Message> = {}): Message => ({
  id: 'm1',
  project_id: 'p1',
  task_id: 't1',
  run_id: 'r1',
  role: 'user',
  content: 'hello',
  created_at: AT,
  ...over,
});

export const anOutput = (over: Partial<Output> = {}): Output => ({
  id: 'o1',
  project_id: 'p1',
  task_id: 't1',
  run_id: 'r1',
  name: 'answer.md',
  kind: 'text',
  media_type: 'text/markdown',
  size: 5,
  sha256: null,
  uri: null,
  review: 'pending',
  comment: null,
  reviewed_at: null,
  created_at: AT,
  preview: 'hello',
  ...over,
});
