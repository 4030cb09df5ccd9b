// A message with files, to an agent of the person's choice: they are on the screen before and after it is sent, and with the server.
import { beforeAll, expect } from 'vitest';
import { createProject, listMessages, onlyTask } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { answer, composer, open, turn, turnStatus } from './support/dashboard';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

beforeAll(withApi);
beforeAll(() => withOneWorker());

browserTest('files and an agent go with a message', async ({ page }) => {
  const project = await createProject('Attachments');
  await open(page, `/projects/${project.id}/input`);
  await page.getByText('Up to 8 files of 5 MB').waitFor();

  await page.locator('input[type="file"]').setInputFiles([
    { name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('# Tea\n\nAssam and Darjeeling.') },
    { name: 'pixel.png', mimeType: 'image/png', buffer: Buffer.from(PIXEL, 'base64') },
    { name: 'large.txt', mimeType: 'text/plain', buffer: Buffer.alloc(6 * 1024 * 1024, 'x') },
  ]);
  await page.getByTestId('draft-file').nth(1).waitFor();
  // One that is too large is not even sent, and the others stay.
  await page.getByText('large.txt has 6 MB; at most 5 MB are possible.').waitFor();
  await composer(page).fill('What is in these?');

  await page.getByRole('combobox', { name: 'Agent' }).click();
  await page.getByRole('option', { name: /Writer/ }).click();
  await page.getByRole('combobox', { name: 'Model' }).click();
  await page
    .getByRole('option', { name: /default/ })
    .first()
    .waitFor();
  await keepPicture(page, 'composer-with-files');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Send' }).click();

  const ours = turn(page, 'What is in these?');
  await turnStatus(ours, 'completed').waitFor();
  await answer(ours).waitFor();
  expect(await ours.getByTestId('message-file').count()).toBe(2);
  await ours.getByRole('link', { name: 'notes.md' }).waitFor();
  const picture = ours.getByRole('img', { name: 'pixel.png' });
  await picture.waitFor();
  // It is really shown: a picture that cannot be read has no width.
  await page.waitForFunction((image) => (image as HTMLImageElement).naturalWidth === 1, await picture.elementHandle());
  expect(await ours.getByTestId('answered-by').textContent()).toBe('writer');
  expect(await page.getByTestId('draft-file').count()).toBe(0);
  await keepPicture(page, 'message-with-files');

  const task = await onlyTask(project.id);
  expect(task.payload).toMatchObject({ content: 'What is in these?', agent: 'writer' });
  const [said] = await listMessages(project.id);
  expect(said?.attachments.map((file) => [file.name, file.media_type])).toEqual([
    ['notes.md', 'text/markdown'],
    ['pixel.png', 'image/png'],
  ]);
});
