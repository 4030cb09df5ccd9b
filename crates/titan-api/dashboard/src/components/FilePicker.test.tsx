import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { renderPage } from '../test/render';
import { FilePicker } from './FilePicker';

it('forgets each choice, so that the browser tells of the same file again', async () => {
  const chosen = vi.fn();
  await renderPage(<FilePicker onFiles={chosen}>{(props) => <button {...props}>Choose</button>}</FilePicker>);
  const input = document.querySelector('input[type="file"]') as HTMLInputElement;
  const file = new File(['a'], 'a.csv');
  await userEvent.upload(input, file);
  expect(chosen).toHaveBeenCalledWith([file]);
  expect(input.files).toHaveLength(0);
  expect(screen.getByRole('button', { name: 'Choose' })).toBeTruthy();
});
