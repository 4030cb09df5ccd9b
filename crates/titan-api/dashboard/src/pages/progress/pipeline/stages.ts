// The stages of a pipeline as its run has them, as pure data.
import type { PipelineInput } from '../../../api/calls';
import type { Run, RunEvent, Step, Target, Task } from '../../../api/types';
import { withoutEscapes } from '../../../components/ansi/escapes';
import { textField } from '../../../lib/fields';
import { compareTimes } from '../../../lib/times';

export const STAGES = ['scaffold', 'build', 'deploy', 'verify', 'publish'] as const;
export type StageName = (typeof STAGES)[number];

/** Whether a stage looks at what was built, and no more at the files. */
export const usesBuild = (name: StageName): boolean => STAGES.indexOf(name) > STAGES.indexOf('build');

const LABELS: Record<StageName, string> = {
  scaffold: 'Scaffold',
  build: 'Build',
  deploy: 'Deploy',
  verify: 'Verify',
  publish: 'Publish',
};

export interface StageView {
  name: StageName;
  label: string;
  /** The number of its step, by which lines of the log belong to it. */
  seq: number;
  /** A status that the other lists know too. */
  status: string;
  /** In place of the status' own word. */
  word: string | undefined;
  current: boolean;
  from: string | null;
  to: string | null;
  attempt: number;
}

/** Completed before this run began: it was taken over from the one that failed. */
export const isKept = (run: Run, step: Step): boolean =>
  step.status === 'completed' && step.finished_at !== null && compareTimes(step.finished_at, run.created_at) <= 0;

const isOver = (status: string) => status === 'completed' || status === 'skipped';

/** Not begun. A run that is canceled cancels also the steps that it has not come to. */
const isAhead = (step: Step | undefined): boolean =>
  step === undefined ||
  step.status === 'pending' ||
  step.status === 'ready' ||
  (step.status === 'canceled' && step.started_at === null);

export function stagesOf(run: Run): StageView[] {
  const steps = STAGES.map((name) => run.steps.find((step) => step.name === name));
  // The one that failed or was stopped, or else the first that is not done.
  const stopped = steps.findIndex(
    (step) => step?.status === 'failed' || (step?.status === 'canceled' && !isAhead(step)),
  );
  const current = stopped === -1 ? steps.findIndex((step) => step === undefined || !isOver(step.status)) : stopped;
  return STAGES.map((name, index) => {
    const step = steps[index];
    const kept = step !== undefined && isKept(run, step);
    const ahead = isAhead(step);
    return {
      name,
      label: LABELS[name],
      seq: step?.seq ?? index + 1,
      status: statusOf(run, step, ahead),
      word: wordOf(run, step, kept, ahead),
      current: index === current,
      from: kept || ahead ? null : (step?.started_at ?? null),
      to: step?.finished_at ?? null,
      attempt: step?.attempt ?? 0,
    };
  });
}

function statusOf(run: Run, step: Step | undefined, ahead: boolean): string {
  if (!ahead && step !== undefined) return step.status;
  // What a run that has ended did not come to.
  if (run.status === 'failed' || run.status === 'canceled') return 'skipped';
  return step?.status === 'ready' ? 'queued' : 'pending';
}

function wordOf(run: Run, step: Step | undefined, kept: boolean, ahead: boolean): string | undefined {
  if (kept) return 'Kept';
  if (step?.status === 'skipped' && run.status !== 'completed') return 'Not reached';
  if (!ahead) return undefined;
  if (run.status === 'failed' || run.status === 'canceled') return 'Not reached';
  return step?.status === 'ready' && (step.attempt > 0 || step.waiting_on !== null) ? 'Waiting' : 'To come';
}

/** The stage that failed, and why. */
export function failureOf(run: Run): { stage: StageView; reason: string } | null {
  if (run.status !== 'failed') return null;
  const stage = stagesOf(run).find(({ status }) => status === 'failed');
  if (stage === undefined) return null;
  const step = run.steps.find(({ seq }) => seq === stage.seq);
  return { stage, reason: step?.error ?? run.error ?? 'No reason was given.' };
}

/** The newest pipeline of a project, out of lists that may overlap. */
export function newestPipeline(tasks: readonly Task[]): Task | null {
  const [newest] = tasks
    .filter(({ type, latest_run }) => type === 'pipeline' && latest_run !== null)
    .sort((a, b) => compareTimes(b.created_at, a.created_at) || b.id.localeCompare(a.id));
  return newest ?? null;
}

const TARGETS: readonly Target[] = ['preview', 'directory', 'hook'];

/** What a pipeline was told to do, to be told again. */
export function orderOf({ payload }: Task): PipelineInput {
  const template = textField(payload, 'template');
  const target = TARGETS.find((name) => name === textField(payload, 'target'));
  const hook = textField(payload, 'hook');
  const inputs = typeof payload === 'object' && payload !== null ? (payload as { inputs?: unknown }).inputs : null;
  return {
    ...(template === null ? {} : { template }),
    ...(target === undefined ? {} : { target }),
    ...(hook === null ? {} : { hook }),
    ...(typeof inputs === 'object' && inputs !== null ? { inputs } : {}),
  };
}

/** Where a tool begins to say what is wrong, which is seldom the last line that it writes. */
const COMPLAINT = /\b(error|fail(ed|ure)?|cannot|could not|unresolved|does not hold)\b/i;
const COMPLAINT_LINES = 8;
/** Where it stood when it failed, which says little to whoever did not write the tool. */
const FRAME = /^\s+at /;

/** The first lines of the log in which the last command of a stage complains; none when the reason has them. */
export function complaintOf(events: readonly RunEvent[], seq: number, reason: string): string[] {
  const own = events.filter(({ step, message, kind }) => step === seq && message !== null && kind !== 'delta');
  const begin = own.findLastIndex(({ kind }) => kind === 'command.started');
  const lines = own
    .slice(begin + 1)
    .filter(({ kind }) => kind === 'log')
    .map(({ message }) => withoutEscapes(message ?? '').trimEnd())
    .filter((line) => line.trim() !== '' && !FRAME.test(line));
  const first = lines.findIndex((line) => COMPLAINT.test(line));
  if (begin === -1 || first === -1) return [];
  const said = lines.slice(first, first + COMPLAINT_LINES);
  return said.every((line) => reason.includes(line.trim())) ? [] : said;
}

/** More than this nobody reads beside a pipeline; the run page has all of them. */
export const SHOWN_LINES = 200;

/** The last lines that a stage has written. */
export function linesOf(events: readonly RunEvent[], seq: number): { lines: RunEvent[]; dropped: number } {
  const all = events.filter(({ step, message, kind }) => step === seq && message !== null && kind !== 'delta');
  return { lines: all.slice(-SHOWN_LINES), dropped: Math.max(0, all.length - SHOWN_LINES) };
}
