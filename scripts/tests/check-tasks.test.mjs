// The form of TASKS.md and INBOX.md: what passes, and that each way to break it is named.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkInbox, checkTasks, commands } from '../check-tasks.mjs';

const item = (title) => `### ${title}

#### Definition of done

- It works.

#### Validation

\`\`\`sh
# everything
make test
\`\`\`

#### Done

- Nothing yet.

#### Next

- All of it.

#### Decided

- To begin.
`;
const file = (...titles) => `# Tasks\n\n## Now\n\n${titles.map(item).join('\n')}\n## Next\n\n- More.\n\n## Later\n\n- Most.\n`;

test('one or two items under Now are in form', () => {
  assert.deepEqual(checkTasks(file('First')), []);
  assert.deepEqual(checkTasks(file('First', 'Second')), []);
});

test('none is too few and three are too many', () => {
  assert.match(checkTasks(file())[0], /"Now" is empty/);
  assert.match(checkTasks(file('First', 'Second', 'Third'))[0], /holds 3 items/);
});

test('each part must be there, once, in its order, and say something', () => {
  assert.deepEqual(checkTasks(file('First').replace('#### Decided', '#### Thoughts')), [
    '"First" lacks "Decided"',
    '"First" has "Thoughts", which has no place there',
  ]);
  assert.match(checkTasks(file('First').replace('#### Decided', '#### Done'))[1], /"First" has "Done" twice/);
  assert.match(checkTasks(file('First').replace('- Nothing yet.\n', ''))[0], /"Done" needs at least one entry/);
  const swapped = file('First').replace('#### Done', '#### X').replace('#### Next', '#### Done').replace('#### X', '#### Next');
  assert.match(checkTasks(swapped)[0], /the order is/);
});

test('validation needs a command in a fence, and a comment is none', () => {
  assert.match(checkTasks(file('First').replace('make test\n', ''))[0], /"Validation" needs a fenced block/);
  assert.match(checkTasks(file('First').replaceAll('```sh', '').replaceAll('```', ''))[0], /"Validation" needs a fenced block/);
  assert.deepEqual(commands('```sh\n# no\n\nmake a\nmake b\n```\n'), ['make a', 'make b']);
});

test('a heading inside a fence is text', () => {
  assert.deepEqual(checkTasks(file('First').replace('make test', 'cat <<E\n## Now\nE\nmake test')), []);
});

test('sections are Now, Next, Later', () => {
  assert.match(checkTasks(file('First').replace('## Later', '## Some day'))[0], /lacks "Later"/);
  assert.match(checkTasks('# Tasks\n')[0], /lacks "Now"/);
});

test('the inbox is one flat list', () => {
  assert.deepEqual(checkInbox('# Inbox\n\nWords.\n\n- one\n- two\n  and more of two\n'), []);
  assert.match(checkInbox('- one\n')[0], /does not begin with a title/);
  assert.match(checkInbox('# Inbox\n\n## Ideas\n')[0], /no sections/);
  assert.match(checkInbox('# Inbox\n\n- one\nloose\n')[0], /INBOX.md:4/);
});
