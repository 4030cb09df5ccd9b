// Where proposals are rolled out for real: Titan's own daemons as production and as a canary beside it, on this machine. A release is
// what the repository has in `crates/release`: programs that begin the daemons that were built, or something that harms them on the
// way. The same in Rust is crates/titan-worker/tests/pipelines/ops_site.rs.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { FORGE_TOKEN, Forge, git } from './forge';
import { BUILT, ROOT } from './programs';
import { settings } from './settings';
import { databaseUrl, endSupervisors, start, withoutWorker } from './stack';

const REPO = 'acme/titan';
const PROGRAMS = 'crates/release';
const DEPLOY_MS = 60_000;
const HARM = path.join(ROOT, 'crates/titan-worker/tests/pipelines/ops_proxy.py');
const TASKS = '# Tasks\n\n## Now\n\n### Update README\n\nSay how it is deployed.\n\n## Next\n';
/** Samples that are short, and few of them. */
const CANARY = `
interval: 700ms
samples: 5
probe: {paths: [/api/projects, /readyz], rate: 15, timeout: 2s}
metrics:
  - {name: probe-errors, source: {probe: errors}, direction: lower_is_better, success: '<= 0.01', failure: '> 0.1', failure_limit: 1, min_events: 5}
  - name: server-errors
    source: {prometheus: {ratio: {of: {name: titan_http_requests_total, labels: {status: '5*'}}, to: {name: titan_http_requests_total}}}}
    direction: lower_is_better
    success: '<= 0.01'
    failure: '> 0.05'
    failure_limit: 1
    min_events: 5
`;

const program = (name: string) => `#!/bin/sh\nexec "$BUILT/${name}" "$@"\n`;

/** What the API of a release is that answers with errors where people ask for projects. */
export const harmedApi = async () => ({
  path: `${PROGRAMS}/titan-api`,
  content: (await readFile(HARM, 'utf8')).replace('HOW', 'errors'),
  executable: true,
});

export class Site {
  private begins: Promise<void> = Promise.resolve();
  private started: Forge | null = null;
  private folder = '';
  private bare = '';
  /** The commit that production began with. */
  first = '';

  /** A forge, a production that runs what its main branch has, and the stack's one worker, which serves both. */
  begin(): Promise<void> {
    this.begins = this.beginAll();
    return this.begins;
  }

  /**
   * Ends all that outlives who started it: first the worker, which would begin it anew. Whatever of this goes wrong, the rest is done,
   * and the stack does it once more when it ends.
   */
  async end(): Promise<void> {
    // Who has given up waiting for it has not stopped it.
    await this.begins.catch(() => undefined);
    try {
      await withoutWorker();
    } finally {
      try {
        await endSupervisors();
      } finally {
        this.started?.stop();
      }
    }
    // Not before: by what stands in it the stack finds whoever still runs.
    if (this.folder !== '') await rm(this.folder, { recursive: true, force: true });
  }

  /** What the documents of the forge forbid and was done. */
  violations = async (): Promise<string[]> => (await this.started?.violations()) ?? [];

  /** The commit that production answers. */
  async production(): Promise<string | null> {
    const { address } = await this.stateOf('production');
    const response = await fetch(`${address}/api/health`, { signal: AbortSignal.timeout(5000) });
    return ((await response.json()) as { commit: string | null }).commit;
  }

  /** The processes of a canary that still runs. */
  async canary(): Promise<number[]> {
    const { daemons = [] } = await this.stateOf('canary');
    return daemons.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  }

  readonly main = () => git(this.bare, 'rev-parse', 'main');
  readonly fileOnMain = (name: string) => git(this.bare, 'show', `main:${name}`);
  readonly pulls = () => this.forge.order<{ number: number; state: string }[]>('pulls', { repo: REPO });

  private get forge(): Forge {
    if (this.started === null) throw new Error('the forge has not started');
    return this.started;
  }

  private readonly at = (...names: string[]) => path.join(this.folder, ...names);

  private async beginAll(): Promise<void> {
    this.folder = await mkdtemp(path.join(settings.folder, 'site-'));
    this.started = await Forge.start(this.at('forge'));
    this.bare = await this.forge.repository(REPO);
    const releases = ['titan-api', 'titan-worker'].map((name) => ({
      path: `${PROGRAMS}/${name}`,
      content: program(name),
      mode: '100755' as const,
    }));
    this.first = await this.forge.push(REPO, [{ path: 'TASKS.md', content: TASKS }, ...releases]);
    await this.beginProduction();
    await withoutWorker();
    await start('worker', this.workerEnv());
  }

  private workerEnv(): Record<string, string> {
    return {
      GITHUB_REPO: REPO,
      GITHUB_TOKEN: FORGE_TOKEN,
      GITHUB_API_URL: this.forge.url,
      GITHUB_SERVER_URL: this.forge.url,
      TITAN_OPS_CHECKS: 'off',
      TITAN_OPS_TEST: `chmod 755 ${PROGRAMS}/titan-api ${PROGRAMS}/titan-worker ;; test -f README.md`,
      TITAN_OPS_TARGET: 'local',
      TITAN_OPS_LOCAL_PROGRAMS: PROGRAMS,
      TITAN_OPS_LOCAL_DIR: this.at('target'),
      TITAN_OPS_LOCAL_ENV: this.at('production.env'),
      TITAN_OPS_LOCAL_CANARY_ENV: this.at('canary.env'),
      TITAN_OPS_CANARY: this.at('canary.yaml'),
      TITAN_OPS_DEPLOY_TIMEOUT: '40s',
    };
  }

  /** As an operator begins with it. */
  private async beginProduction(): Promise<void> {
    await writeFile(this.at('canary.yaml'), CANARY);
    for (const side of ['production', 'canary']) {
      const lines = {
        DATABASE_URL: await databaseUrl(),
        PATH: process.env.PATH ?? '',
        BUILT,
        TITAN_DATA_DIR: this.at(side),
        TITAN_WORKER_NAME: side,
        // Its worker takes no job of others.
        TITAN_WORKER_QUEUES: side,
      };
      const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
      await writeFile(this.at(`${side}.env`), text.join(''), { mode: 0o600 });
    }
    await mkdir(this.at('first'));
    for (const name of ['titan-api', 'titan-worker']) {
      await writeFile(this.at('first', name), program(name));
      await chmod(this.at('first', name), 0o755);
    }
    const words = ['deploy', '--dir', this.at('target'), '--env', this.at('production.env')];
    const release = ['--commit', this.first, '--programs', this.at('first')];
    await promisify(execFile)(path.join(BUILT, 'titan-supervise'), [...words, ...release], { timeout: DEPLOY_MS });
  }

  /** What the supervisor of a side has written down; nothing while there is none. */
  private async stateOf(side: string): Promise<SideState> {
    const text = await readFile(this.at('target', side, 'state.json'), 'utf8').catch(() => '{}');
    return JSON.parse(text) as SideState;
  }
}

interface SideState {
  address?: string;
  daemons?: { pid: number | null }[];
}
