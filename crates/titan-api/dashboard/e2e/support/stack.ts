// Hurting and healing the Titan under test, through the control server of scripts/e2e-stack.mjs.
import { type StackState, settings } from './settings';

/** Starting a daemon waits until it works, which takes a while on a busy machine. */
const CONTROL_TIMEOUT_MS = 90_000;

async function control(method: 'GET' | 'POST', path: string, body?: unknown): Promise<StackState> {
  const response = await fetch(`${settings.controlUrl}${path}`, {
    method,
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(CONTROL_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return JSON.parse(text) as StackState;
}

const state = () => control('GET', '/state');
export const databaseUrl = async () => (await state()).database_url;
export const kill = (name: string) => control('POST', `/kill/${name}`);
export const start = (name: string, env: Record<string, string> = {}) => control('POST', `/start/${name}`, { env });

/** Those of targets on this machine, which outlive who has them started. */
export const endSupervisors = () => control('POST', '/end/supervisors');

/** Whatever a test before has left behind: the API runs. */
export async function withApi(): Promise<void> {
  if (!(await state()).processes.api?.running) await start('api');
}

/** Whatever a test before has left behind: no worker runs, and none that is only starting. */
export async function withoutWorker(): Promise<void> {
  for (const [name, process] of Object.entries((await state()).processes)) {
    if (name.startsWith('worker') && process.running) await control('POST', `/stop/${name}`);
  }
}

/** Exactly one worker. With a pause between words the offline model answers slowly enough to be watched. */
export async function withOneWorker({ pause }: { pause?: string } = {}): Promise<void> {
  await withoutWorker();
  await start('worker', workerEnv(pause));
}

export const workerEnv = (pause: string | undefined): Record<string, string> =>
  pause === undefined ? {} : { TITAN_OFFLINE_DELAY: pause };
