import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it, vi } from 'vitest';
import { renderPage } from '../test/render';
import { SearchBox } from './SearchBox';

/** The address of a page, which may also change by itself. */
async function show() {
  const searched = vi.fn();
  function Page() {
    const [q, setQ] = useState('old');
    const search = (words: string) => {
      searched(words);
      setQ(words);
    };
    return (
      <>
        <SearchBox what="things" q={q} onSearch={search} />
        <button type="button" onClick={() => setQ('')}>
          Show everything
        </button>
      </>
    );
  }
  await renderPage(<Page />);
  return { searched, field: screen.getByRole<HTMLInputElement>('searchbox') };
}

it('leaves what is typed alone while it is looked for', async () => {
  const { searched, field } = await show();
  await userEvent.clear(field);
  await userEvent.type(field, 'green ');
  await waitFor(() => expect(searched).toHaveBeenLastCalledWith('green'));
  await userEvent.type(field, 'tea');
  await waitFor(() => expect(searched).toHaveBeenLastCalledWith('green tea'));
  expect(field.value).toBe('green tea');
});

it('follows the address, also back to what it was', async () => {
  const { searched, field } = await show();
  await userEvent.click(screen.getByRole('button'));
  expect(field.value).toBe('');
  await userEvent.type(field, 'old');
  await waitFor(() => expect(searched).toHaveBeenLastCalledWith('old'));
  await userEvent.click(screen.getByRole('button'));
  expect(field.value).toBe('');
});
