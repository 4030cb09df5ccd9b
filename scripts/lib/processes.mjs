// Child processes for the scripts: started with their output line by line, watched, and stopped within a time.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A running child. `ended` resolves to how it ended, in words. */
export class Child {
  constructor(name, process) {
    this.name = name;
    this.process = process;
    this.stopping = false;
    this.running = true;
    this.ended = new Promise((resolve) => {
      process.once('error', (error) => resolve(this.#over(`could not be started: ${error.message}`)));
      process.once('exit', (code, signal) => resolve(this.#over(signal ? `was ended by ${signal}` : `ended with code ${code}`, code)));
    });
  }

  get pid() {
    return this.process.pid;
  }

  #over(how, code = null) {
    this.running = false;
    this.code = code;
    return how;
  }

  signal(name) {
    // The child leads a process group of its own, so that nothing it started stays behind.
    try {
      process.kill(-this.process.pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }

  /** Asks it to end, and ends it the hard way after `graceMs`. */
  async stop(graceMs) {
    if (!this.running) return;
    this.stopping = true;
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  async kill() {
    if (!this.running) return;
    this.stopping = true;
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** Starts a long-lived child; `onLine` gets each line of its output. */
export function startChild(name, command, args, { env, cwd, onLine }) {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  return new Child(name, child);
}

/** Runs a command to its end. Its output is shown, or returned when `capture` is set; anything but code 0 throws. */
export function run(command, args, { capture = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'], ...options });
    // Whoever ends this script by a signal ends what it waits for, too.
    const endIt = () => child.kill('SIGTERM');
    process.once('exit', endIt);
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', (error) => reject(new Error(`${command} could not be started: ${error.message}`)));
    child.once('close', (code, signal) => {
      process.removeListener('exit', endIt);
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? `code ${code}`}`));
    });
  });
}

/** Thrown by a check of `waitFor` when waiting on is of no use. */
export class Hopeless extends Error {}

/** Asks `check` again and again until it gives something truthy; throws with `what` when the time is over. */
export async function waitFor(what, check, { timeoutMs = 60_000, everyMs = 100 } = {}) {
  const deadline = Date.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      const result = await check();
      if (result) return result;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = `: ${error.cause?.message ?? error.message}`;
    }
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs / 1000} s${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
