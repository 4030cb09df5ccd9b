// TASKS.md and INBOX.md have a form that people and agents rely on: "Now" holds one or two items, and each says when
// it is done, how to check that, and where it stands. docs/DEVELOPMENT.md describes the form; this holds it.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { root } from './lib/titan.mjs';

const SECTIONS = ['Now', 'Next', 'Later'];
const PARTS = ['Definition of done', 'Validation', 'Done', 'Next', 'Decided'];
const MOST_NOW = 2;

/** The headings of one level and what stands below each; fenced blocks are no place for headings. */
function split(text, level) {
  const marker = `${'#'.repeat(level)} `;
  const found = [];
  let fenced = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced;
    if (!fenced && line.startsWith(marker)) found.push({ title: line.slice(marker.length).trim(), body: '' });
    else if (found.length) found.at(-1).body += `${line}\n`;
  }
  return found;
}

function bullets(text) {
  return [...text.matchAll(/^- (.*\S)/gm)].map((match) => match[1]);
}

/** The commands of the fenced blocks, without comments and empty lines. */
export function commands(text) {
  return [...text.matchAll(/^```[a-z]*\n([\s\S]*?)^```$/gm)]
    .flatMap((match) => match[1].split('\n'))
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'));
}

/** Two lists that should be the same, in the same order; says what is not. */
function compareHeadings(where, wanted, found) {
  const lines = wanted.filter((name) => !found.includes(name)).map((name) => `${where} lacks "${name}"`);
  lines.push(...found.filter((name) => !wanted.includes(name)).map((name) => `${where} has "${name}", which has no place there`));
  lines.push(...found.filter((name, index) => found.indexOf(name) !== index).map((name) => `${where} has "${name}" twice`));
  if (!lines.length && found.join() !== wanted.join()) lines.push(`${where}: the order is ${wanted.join(', ')}`);
  return lines;
}

function checkItem({ title, body }) {
  const where = `"${title || 'an item without a title'}"`;
  const parts = split(body, 4);
  const lines = compareHeadings(where, PARTS, parts.map((part) => part.title));
  if (!title) lines.push('an item under Now has no title');
  for (const { title: part, body: text } of parts) {
    if (part === 'Validation') {
      if (!commands(text).length) lines.push(`${where}: "Validation" needs a fenced block with at least one command`);
    } else if (PARTS.includes(part) && !bullets(text).length) {
      lines.push(`${where}: "${part}" needs at least one entry ("- ...")`);
    }
  }
  return lines;
}

/** What is wrong with TASKS.md, one line each. */
export function checkTasks(text) {
  const sections = split(text, 2);
  const lines = compareHeadings('TASKS.md', SECTIONS, sections.map((section) => section.title));
  const now = sections.find((section) => section.title === 'Now');
  if (!now) return lines;
  const items = split(now.body, 3);
  if (items.length === 0) lines.push('"Now" is empty; it holds one or two items ("### ...")');
  if (items.length > MOST_NOW) lines.push(`"Now" holds ${items.length} items; the most is ${MOST_NOW}, the rest belongs to "Next"`);
  return [...lines, ...items.flatMap(checkItem)];
}

/** What is wrong with INBOX.md, one line each. */
export function checkInbox(text) {
  const lines = text.split('\n');
  const problems = [];
  if (!/^# \S/.test(lines[0] ?? '')) problems.push('INBOX.md does not begin with a title ("# ...")');
  const start = lines.findIndex((line) => line.startsWith('- '));
  for (const [index, line] of lines.entries()) {
    if (/^#{2,}/.test(line)) problems.push(`INBOX.md:${index + 1}: no sections; sorting happens when an idea moves to TASKS.md`);
    else if (start >= 0 && index > start && line.trim() && !/^(- \S| {2}\S)/.test(line)) {
      problems.push(`INBOX.md:${index + 1}: each idea is one entry ("- ...")`);
    }
  }
  return problems;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const read = (name) => readFile(path.join(root, name), 'utf8');
  const problems = [...checkTasks(await read('TASKS.md')), ...checkInbox(await read('INBOX.md'))];
  for (const line of problems) console.error(line);
  if (problems.length) process.exit(1);
  console.log('TASKS.md and INBOX.md are in form.');
}
