// A GitHub of the tests' own over real bare repositories: crates/titan-testkit/forge as a process. What people do there is ordered on
// its second port, and what does not fit GitHub's own document is a violation.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { ROOT } from './programs';

const MAIN = path.join(ROOT, 'crates/titan-testkit/forge/main.mjs');
const START_MS = 30_000;
const CALL_MS = 20_000;
const LISTENS = /^forge listening address=(\S+) control=(\S+)$/;

/** May write in every repository. */
export const FORGE_TOKEN = 'ghp_the-token-of-a-test';

export interface PushedFile {
  path: string;
  content: string;
  mode?: '100755';
}

export class Forge {
  private constructor(
    private readonly child: ChildProcess,
    /** Where its API is, and git at `/{owner}/{repo}.git`. */
    readonly url: string,
    private readonly control: string,
  ) {}

  /** One without repositories, which keeps them in this folder. */
  static async start(folder: string): Promise<Forge> {
    const child = spawn('node', [MAIN, 'github', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [address, control] = await listens(child);
      const forge = new Forge(child, `http://${address}`, `http://${control}`);
      await forge.order('token', { token: FORGE_TOKEN });
      return forge;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Any call of forge/lib/control.mjs. */
  async order<T>(call: string, body: object = {}): Promise<T> {
    const signal = AbortSignal.timeout(CALL_MS);
    const response = await fetch(`${this.control}/${call}`, { method: 'POST', body: JSON.stringify(body), signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`the forge refuses ${call}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** A repository such as `acme/titan` with a README on its main branch; its bare folder. */
  async repository(name: string): Promise<string> {
    return (await this.order<{ folder: string }>('repository', { name })).folder;
  }

  /** What a person pushes; the commit. */
  async push(repo: string, files: PushedFile[]): Promise<string> {
    return (await this.order<{ sha: string }>('push', { repo, branch: 'main', files })).sha;
  }

  violations = (): Promise<string[]> => this.order('violations');

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

/** What git says in a folder. */
export async function git(folder: string, ...words: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' };
  const { stdout } = await promisify(execFile)('git', words, { cwd: folder, env, timeout: CALL_MS });
  return stdout.trim();
}

/** Its two addresses, once it says them. */
function listens(child: ChildProcess): Promise<[string, string]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the forge did not start')), START_MS);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the forge ended with ${code}: node scripts/forge.mjs install`)));
    if (child.stdout === null) throw new Error('the forge has no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, address, control] = LISTENS.exec(line) ?? [];
      if (address === undefined || control === undefined) return;
      clearTimeout(timer);
      resolve([address, control]);
    });
  });
}
