// .env.example and the list of variables at the head of titan-core's config.rs must name the same variables.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { root } from './lib/titan.mjs';

/** The variables in the table of the module comment. */
export function configVariables(source) {
  return [...source.matchAll(/^\/\/! \| `([A-Z][A-Z0-9_]*)` \|/gm)].map((match) => match[1]);
}

/** The variables of an env file, commented out or not. */
export function exampleVariables(text) {
  return [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1]);
}

/** What is wrong, one line each. */
export function findProblems(config, example) {
  if (config.length === 0) return ['config.rs lists no variables in its module comment'];
  const twice = example.filter((name, index) => example.indexOf(name) !== index);
  return [
    ...config.filter((name) => !example.includes(name)).map((name) => `${name} is missing in .env.example`),
    ...example.filter((name) => !config.includes(name)).map((name) => `${name} stands in .env.example, but config.rs does not know it`),
    ...twice.map((name) => `${name} stands twice in .env.example`),
  ];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const config = configVariables(await readFile(path.join(root, 'crates/titan-core/src/config.rs'), 'utf8'));
  const problems = findProblems(config, exampleVariables(await readFile(path.join(root, '.env.example'), 'utf8')));
  for (const line of problems) console.error(line);
  if (problems.length) process.exit(1);
  console.log(`.env.example and config.rs agree on ${config.length} variables.`);
}
