// Rows that only a worker with a repository and a target would write, put into the database of the Titan under test.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './programs';
import { settings } from './settings';

const TIMEOUT_MS = 30_000;

/** Values go in as texts, by name: `:'name'` in the statement is the value, quoted. */
export async function sql(statement: string, values: Record<string, string> = {}): Promise<void> {
  const given = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
  const cluster = path.join(ROOT, 'target/e2e-postgres', settings.pass);
  const words = ['scripts/postgres.sh', 'psql', '--dir', cluster, '--', '-q', '-v', 'ON_ERROR_STOP=1', ...given];
  const running = promisify(execFile)('bash', words, { cwd: ROOT, timeout: TIMEOUT_MS });
  // Names are replaced in what is read, not in what is given by an argument.
  running.child.stdin?.end(statement);
  await running;
}
