import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const src = path.resolve(import.meta.dirname, '..');
const sheets = path.resolve(src, '../node_modules/@mantine/core/styles');
/** Components that are made of others. */
const MADE_OF: Record<string, string[]> = { Autocomplete: ['Combobox'], Highlight: ['Mark'], Select: ['Combobox'] };

it('has the style sheet of every component that is used: without it a component is a bare element of the browser', () => {
  const used = new Set<string>();
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.tsx')) continue;
    const text = readFileSync(path.join(src, file), 'utf8');
    for (const [, names = ''] of text.matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) {
      for (const name of names.split(',')) used.add(name.trim());
    }
  }
  expect(used.size).toBeGreaterThan(20);
  const imported = readFileSync(path.join(src, 'theme/styles.ts'), 'utf8');
  const missing = [...used]
    .flatMap((name) => [name, ...(MADE_OF[name] ?? [])])
    .filter((name) => existsSync(path.join(sheets, `${name}.css`)) && !imported.includes(`/styles/${name}.css`));
  expect(missing).toEqual([]);
});
