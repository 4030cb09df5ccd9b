// Templates of the tests' own, from the folder templates beside this file.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { installTemplate } from './api';

const run = promisify(execFile);
const FOLDER = path.join(import.meta.dirname, 'templates');

/** Installs it as anybody would: as an archive. The same one once more changes nothing. */
export async function withTemplate(name: string): Promise<void> {
  const packed = await run('tar', ['-c', '-C', path.join(FOLDER, name), '.'], { encoding: 'buffer', timeout: 20_000 });
  await installTemplate(packed.stdout.toString('base64'));
}
