// A component whose sheet is not imported looks broken and passes every other test.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const CORE = 'node_modules/@mantine/core';
/** Parts of a component that have a sheet of their own and are used by nobody here. */
const PARTS_NOT_USED = ['RadioCard', 'RadioIndicator'];

const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]));

/** What our own code takes from Mantine. */
function used(): string[] {
  const sources = filesIn('src').filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path));
  const imports = sources.flatMap((path) => [
    ...readFileSync(path, 'utf8').matchAll(/import\s*\{([^}]*)\}\s*from '@mantine\/core'/g),
  ]);
  const names = imports.flatMap(([, names = '']) => names.split(',').map((name) => name.trim()));
  return [...new Set(names)].filter((name) => /^[A-Z]/.test(name));
}

/** The sheets of a component and of all it is made of. */
function sheetsOf(name: string, index: string): string[] {
  const entry = index.match(new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from "([^"]+)"`))?.[1];
  if (entry === undefined) throw new Error(`Mantine's index does not name ${name}`);
  const seen = new Set<string>();
  const open = [resolve(CORE, 'esm', entry)];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path) || !existsSync(path)) continue;
    seen.add(path);
    const folder = dirname(path);
    for (const [, to = ''] of readFileSync(path, 'utf8').matchAll(/from "(\.[^"]+)"/g)) open.push(resolve(folder, to));
  }
  return [...seen]
    .flatMap((path) => path.match(/([^/]+)\.module\.mjs$/)?.[1] ?? [])
    .filter((sheet) => existsSync(`${CORE}/styles/${sheet}.css`) && !PARTS_NOT_USED.includes(sheet));
}

describe('styles', () => {
  const index = readFileSync(`${CORE}/esm/index.mjs`, 'utf8');
  const imported = readFileSync('src/theme/styles.ts', 'utf8');

  it.each(used())('has the sheets of %s', (name) => {
    const missing = sheetsOf(name, index).filter((sheet) => !imported.includes(`/${sheet}.css'`));
    expect(missing).toEqual([]);
  });

  it('looks at the components', () => {
    expect(used()).toContain('Chip');
    expect(sheetsOf('Highlight', index).sort()).toEqual(['Mark', 'Text']);
  });
});
