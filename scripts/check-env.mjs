// .env.example and titan-core's configuration (the list at its head, and the vendors of models) must name the same variables.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { root } from './lib/titan.mjs';

/** The variables in the table of the module comment. */
export function configVariables(source) {
  return [...source.matchAll(/^\/\/! \| `([A-Z][A-Z0-9_]*)` \|/gm)].map((match) => match[1]);
}

/** The variables of the table of vendors. */
export function vendorVariables(source) {
  return [...source.matchAll(/^\s+(?:key|base_url)_variable: "([A-Z][A-Z0-9_]*)",$/gm)].map((match) => match[1]);
}

/** The variables of an env file, commented out or not. */
export function exampleVariables(text) {
  return [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1]);
}

/** What is wrong, one line each. */
export function findProblems(config, example) {
  if (config.length === 0) return ['the configuration lists no variables'];
  const twice = example.filter((name, index) => example.indexOf(name) !== index);
  return [
    ...config.filter((name) => !example.includes(name)).map((name) => `${name} is missing in .env.example`),
    ...example.filter((name) => !config.includes(name)).map((name) => `${name} stands in .env.example, but the configuration does not know it`),
    ...twice.map((name) => `${name} stands twice in .env.example`),
  ];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const source = (file) => readFile(path.join(root, 'crates/titan-core/src/config', file), 'utf8');
  const config = [...configVariables(await source('mod.rs')), ...vendorVariables(await source('vendors.rs'))];
  const problems = findProblems(config, exampleVariables(await readFile(path.join(root, '.env.example'), 'utf8')));
  for (const line of problems) console.error(line);
  if (problems.length) process.exit(1);
  console.log(`.env.example and the configuration agree on ${config.length} variables.`);
}
