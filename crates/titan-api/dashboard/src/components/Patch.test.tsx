import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderPage } from '../test/render';
import { MOST_LINES, Patch } from './Patch';

it('tells what was added, what was removed and where', async () => {
  await renderPage(<Patch patch={'--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n'} />);
  const marked = (kind: string) => document.querySelector(`[data-line="${kind}"]`)?.textContent;
  expect([marked('place'), marked('removed'), marked('added')]).toEqual(['@@ -1 +1 @@\n', '-old\n', '+new\n']);
  expect(screen.getByTestId('patch').querySelectorAll('span')).toHaveLength(5);
});

it('shows so many lines of a long one, and says so', async () => {
  await renderPage(<Patch patch={'+x\n'.repeat(MOST_LINES + 7)} />);
  expect(screen.getByTestId('patch').querySelectorAll('span')).toHaveLength(MOST_LINES);
  expect(screen.getByText('The first 5,000 of 5,007 lines are shown.')).toBeTruthy();
});

it('shows what nobody could see', async () => {
  const odd = '+a\u202eb\u2028c\r';
  await renderPage(<Patch patch={`@@ -1 +1 @@\n-tab\there\n${odd}\n`} />);
  expect(document.querySelector('[data-line="added"]')?.textContent).toBe('+aU+202EbU+2028cU+000D\n');
  expect(document.querySelector('[data-line="removed"]')?.textContent).toBe('-tab\there\n');
  expect(document.querySelectorAll('[data-unseen]')).toHaveLength(3);
});
