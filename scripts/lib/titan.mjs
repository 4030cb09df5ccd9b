// What the scripts know of Titan itself: where its parts lie and how one can tell that a stack is ready.

import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { run, waitFor } from './processes.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const dashboard = path.join(root, 'crates/titan-api/dashboard');
export const forge = path.join(root, 'crates/titan-testkit/forge');

/** The path of a built program. */
export function binary(name, profile) {
  return path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', profile === 'dev' ? 'debug' : 'release', name);
}

/** Runs scripts/postgres.sh on a directory and gives what it printed. */
export async function postgres(command, dir, ...more) {
  const output = await run(path.join(root, 'scripts/postgres.sh'), [command, '--dir', dir, ...more], { capture: true });
  return output.trim();
}

/** "127.0.0.1:3000" or "[::1]:3000" in its parts. */
export function parseBind(text) {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (!match || Number(match[3]) > 65535) throw new Error(`TITAN_BIND: "${text}" is no address and port, such as 127.0.0.1:3000`);
  return { host: match[1] ?? match[2], port: Number(match[3]) };
}

/** The address a browser on this machine opens. */
export function baseUrl({ host, port }) {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Whether something could listen there now; throws for what is not about the port being taken. */
export function isFree({ host, port }) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`));
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A free port below the range from which the kernel takes ports for outgoing connections, so that a daemon that is
 * killed and started again finds its port still free.
 */
export async function freePort(host = '127.0.0.1') {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(20_000, 32_000);
    if (await isFree({ host, port })) return port;
  }
  throw new Error(`no free port on ${host} found`);
}

async function getJson(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return { status: response.status, body: await response.json() };
}

/** Waits until the API is ready and knows a living worker. */
export async function waitUntilReady(url, options) {
  await waitFor(`a ready API at ${url}`, async () => (await getJson(`${url}/readyz`)).status === 200, options);
  await waitFor('a worker that reports', async () => (await getJson(`${url}/api/worker/health`)).body.running === true, options);
}

/** Whether the process exists and runs a program with this name. */
export async function runsProgram(pid, name) {
  try {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return line.split('\0').some((part) => path.basename(part) === name);
  } catch {
    return false;
  }
}
