import { expect, it } from 'vitest';
import { plainMarkdown } from './markdown';

it.each([
  ['**v1** was built from commit `5fc6` with x@1.0.0.', 'v1 was built from commit 5fc6 with x@1.0.0.'],
  ['# Notes\n\n- one\n- *two*\n\n> three', 'Notes one two three'],
  ['See [the page](http://127.0.0.1:1/) or <http://127.0.0.1:2/>.', 'See the page or http://127.0.0.1:2/.'],
  ['```js\nconst x = 2 * 3 * 4;\n```', 'const x = 2 * 3 * 4;'],
  ['1\\. snake_case and __init__ stay words', '1. snake_case and init stay words'],
  ['', ''],
])('keeps the words of %j', (text, plain) => {
  expect(plainMarkdown(text)).toBe(plain);
});
