// What scripts/e2e-stack.mjs tells the tests about the Titan it has started.
import { readFileSync } from 'node:fs';
import path from 'node:path';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: the browser tests are started by scripts/e2e.sh`);
  return value;
}

/** The fields of the stack's state file that the tests use. */
export interface StackState {
  control_url: string;
  database_url: string;
  processes: Record<string, { pid: number; running: boolean }>;
}

function readState(): StackState {
  return JSON.parse(readFileSync(required('E2E_STATE'), 'utf8')) as StackState;
}

export const settings = {
  baseUrl: required('E2E_BASE_URL'),
  pass: required('E2E_PASS'),
  screenshots: required('E2E_SCREENSHOTS'),
  /** What lies below it belongs to the stack, which ends the targets `ANY/target` in it when it ends itself. */
  folder: path.dirname(required('E2E_STATE')),
  opsToken: required('E2E_OPS_TOKEN'),
  chromium: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  controlUrl: readState().control_url,
};

/** Every wait for something that is certain to come: long, because two busy cores can be slow. */
export const PATIENCE_MS = 30_000;
