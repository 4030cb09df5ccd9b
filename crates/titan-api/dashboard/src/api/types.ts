// The shapes of the HTTP contract, by one name each. Pages import them from here and nowhere else.

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface TaskCounts {
  total: number;
  pending: number;
  queued: number;
  in_progress: number;
  paused: number;
  blocked: number;
  completed: number;
  failed: number;
  canceled: number;
}

export interface RunCounts {
  total: number;
  queued: number;
  running: number;
  completed: number;
  failed: number;
  canceled: number;
}

export interface OutputCounts {
  total: number;
  pending: number;
  approved: number;
  rejected: number;
}

export interface ProjectStats {
  tasks: TaskCounts;
  runs: RunCounts;
  memories: number;
  outputs: OutputCounts;
}

export interface Project {
  id: string;
  name: string;
  type: string;
  template_ref: string | null;
  spec: Record<string, unknown>;
  created_at: string;
  updated_at: string;
  stats: ProjectStats;
}

export type ExecutionStatus =
  | 'pending'
  | 'queued'
  | 'in_progress'
  | 'paused'
  | 'blocked'
  | 'completed'
  | 'failed'
  | 'canceled';
export type RunStatus = 'queued' | 'running' | 'completed' | 'failed' | 'canceled';
export type StepStatus = 'pending' | 'ready' | 'running' | 'completed' | 'failed' | 'skipped' | 'canceled';
export type Stage = 'intake' | 'processing' | 'review' | 'done';

export interface Hint {
  code: string;
  message: string;
}

export interface Task {
  id: string;
  project_id: string;
  parent_task_id: string | null;
  type: string;
  title: string;
  payload: unknown;
  execution_type: string;
  execution_status: ExecutionStatus;
  status: string;
  assigned_to_type: string | null;
  assigned_to_id: string | null;
  priority: number;
  ai_confidence: number | null;
  ai_context: string | null;
  blocked_reason: string | null;
  failure_reason: string | null;
  retry_count: number;
  max_retries: number;
  latest_run: { id: string; status: RunStatus; stage: Stage } | null;
  hint: Hint | null;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
}

export interface TaskLogEntry {
  event: string;
  executor_id: string | null;
  executor_type: string | null;
  result?: unknown;
  timestamp: string;
}

export interface Step {
  seq: number;
  name: string;
  kind: string;
  status: StepStatus;
  waiting_on: string | null;
  waiting_until: string | null;
  waiting_reason: string | null;
  attempt: number;
  worker: string | null;
  started_at: string | null;
  heartbeat_at: string | null;
  finished_at: string | null;
  error: string | null;
}

export interface Run {
  id: string;
  task_id: string | null;
  project_id: string;
  parent_run_id: string | null;
  retry_of: string | null;
  workflow: string;
  status: RunStatus;
  stage: Stage;
  waiting_on: string | null;
  waiting_since: string | null;
  waiting_until: string | null;
  waiting_reason: string | null;
  paused_at: string | null;
  cancel_requested_at: string | null;
  attempt: number;
  trace_id: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  error: string | null;
  usage: { input_tokens: number; output_tokens: number; cost: number | null };
  last_seq: number;
  hint: Hint | null;
  steps: Step[];
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface RunEvent {
  run_id: string;
  seq: number;
  at: string;
  kind: string;
  task_id: string | null;
  project_id: string;
  step: number | null;
  level: LogLevel | null;
  message: string | null;
  data: unknown;
}

export interface RunEventPage {
  items: RunEvent[];
  next_cursor: string | null;
  last_seq: number;
}

export interface LogLine {
  timestamp: string;
  level: LogLevel;
  message: string;
  task_id: string | null;
  run_id: string;
  step: number | null;
  seq: number;
}

export interface LogPage extends Page<LogLine> {
  total: number;
}

export type OutputKind = 'text' | 'file' | 'code' | 'image' | 'link';
export type Review = 'pending' | 'approved' | 'rejected';

export interface Output {
  id: string;
  project_id: string;
  task_id: string | null;
  run_id: string | null;
  name: string;
  kind: OutputKind;
  media_type: string;
  size: number;
  sha256: string | null;
  uri: string | null;
  review: Review;
  comment: string | null;
  reviewed_at: string | null;
  created_at: string;
  preview: string | null;
}

export interface Memory {
  id: string;
  project_id: string;
  scope: string;
  content: string;
  source_run_id: string | null;
  confidence: number | null;
  created_at: string;
}

export interface Message {
  id: string;
  project_id: string;
  task_id: string | null;
  run_id: string | null;
  role: 'user' | 'assistant';
  content: string;
  created_at: string;
}

export interface Provider {
  name: string;
  kind: string;
  model: string;
  state: 'ready' | 'failing' | 'unknown';
  default: boolean;
  detail: string | null;
  last_error: string | null;
  checked_at: string | null;
}

export interface WorkerInfo {
  id: string;
  name: string;
  host: string;
  pid: number;
  version: string;
  status: 'running' | 'stopping' | 'stopped' | 'lost';
  kinds: string[];
  slots: number;
  running: number;
  current_tasks: string[];
  started_at: string;
  heartbeat_at: string;
}

export interface WorkerHealth {
  running: boolean;
  last_heartbeat: string | null;
  current_task: string | null;
  workers: WorkerInfo[];
}

export interface Health {
  status: string;
  uptime_seconds: number;
  version: string;
  commit: string | null;
  database: string;
  queue: { ready: number; scheduled: number; running: number; oldest_ready_seconds: number | null };
}

export interface SetupItem {
  variable: string;
  set: boolean;
  needed_for: string;
}

export interface Setup {
  items: SetupItem[];
  worker_running: boolean;
  default_provider: string;
}

export interface ChangeHint {
  kind: 'project' | 'task' | 'run' | 'output' | 'memory' | 'message' | 'worker';
  id: string;
  project_id: string | null;
  run_id?: string | null;
  seq?: number | null;
}

export interface Heartbeat {
  run_id: string;
  step: number;
  attempt: number;
  output_tokens: number;
  at: string;
}

export interface FieldError {
  field: string;
  message: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string | null;
  code: string;
  request_id?: string | null;
  errors?: FieldError[];
}
