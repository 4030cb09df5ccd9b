import { Menu } from '@mantine/core';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, it } from 'vitest';
import { renderPage } from '../test/render';
import { Dialog } from './Dialog';

function Page() {
  const [open, setOpen] = useState(false);
  const [there, setThere] = useState(true);
  return (
    <main tabIndex={-1}>
      {there && (
        <button type="button" onClick={() => setOpen(true)}>
          Open
        </button>
      )}
      <Menu>
        <Menu.Target>
          <button type="button">More</button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setOpen(true)}>By the menu</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open && (
        <Dialog title="Words" onClose={() => setOpen(false)}>
          <input aria-label="Words" data-autofocus />
          <button type="button" onClick={() => setThere(false)}>
            Take the opener away
          </button>
        </Dialog>
      )}
    </main>
  );
}

const inside = () => waitFor(() => expect(document.activeElement).toBe(screen.getByRole('textbox')));
const back = (to: Element) => waitFor(() => expect(document.activeElement).toBe(to));

describe('a dialog', () => {
  it('gives the focus back to what opened it', async () => {
    await renderPage(<Page />);
    const opener = screen.getByRole('button', { name: 'Open' });
    await userEvent.click(opener);
    await inside();
    await userEvent.keyboard('{Escape}');
    await back(opener);
  });

  it('gives it to the button of the menu from which it was opened', async () => {
    await renderPage(<Page />);
    await userEvent.click(screen.getByRole('button', { name: 'More' }));
    const item = await screen.findByRole('menuitem', { name: 'By the menu' });
    item.focus();
    await userEvent.keyboard('{Enter}');
    await inside();
    await userEvent.keyboard('{Escape}');
    await back(screen.getByRole('button', { name: 'More' }));
  });

  it('gives it to the page when what opened it is gone', async () => {
    await renderPage(<Page />);
    await userEvent.click(screen.getByRole('button', { name: 'Open' }));
    await inside();
    await userEvent.click(screen.getByRole('button', { name: 'Take the opener away' }));
    await userEvent.keyboard('{Escape}');
    await back(screen.getByRole('main'));
  });

  it('stays with what was typed when somebody clicks beside it', async () => {
    await renderPage(<Page />);
    await userEvent.click(screen.getByRole('button', { name: 'Open' }));
    await inside();
    const beside = document.querySelector('.mantine-Modal-inner') as Element;
    fireEvent.mouseDown(beside);
    fireEvent.click(beside);
    fireEvent.click(document.querySelector('.mantine-Modal-overlay') as Element);
    expect(screen.getByRole('dialog')).toBeTruthy();
  });
});
