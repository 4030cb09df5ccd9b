import { act, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it, vi } from 'vitest';
import { onDemand } from './OnDemand';

interface DialogProps {
  opened: boolean;
  onClose: () => void;
}

const drawn: boolean[] = [];

function Fake({ opened, onClose }: DialogProps) {
  drawn.push(opened);
  return opened ? (
    <button type="button" onClick={onClose}>
      Close
    </button>
  ) : null;
}

function page(load: () => Promise<typeof Fake>) {
  const Dialog = onDemand<DialogProps>(load);
  return function Page() {
    const [opened, setOpened] = useState(false);
    return (
      <>
        <button type="button" onClick={() => setOpened(true)}>
          Open
        </button>
        <p>{opened ? 'wanted' : 'not wanted'}</p>
        <Dialog opened={opened} onClose={() => setOpened(false)} />
      </>
    );
  };
}

it('is fetched when it is first opened, once, and drawn closed before it opens', async () => {
  drawn.length = 0;
  const load = vi.fn(async () => Fake);
  const Page = page(load);
  render(<Page />);
  expect(load).not.toHaveBeenCalled();
  for (const time of [1, 2]) {
    await userEvent.click(screen.getByRole('button', { name: 'Open' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Close' }));
    expect(screen.queryByRole('button', { name: 'Close' }), `closed ${time}`).toBeNull();
  }
  expect(load).toHaveBeenCalledOnce();
  expect(drawn[0], 'whoever is drawn open at once does not know where the focus was').toBe(false);
});

it('is closed when its code does not come, and fetched again with the next try', async () => {
  const load = vi
    .fn<() => Promise<typeof Fake>>()
    .mockRejectedValueOnce(new TypeError('Failed to fetch'))
    .mockResolvedValue(Fake);
  const Page = page(load);
  render(<Page />);
  await userEvent.click(screen.getByRole('button', { name: 'Open' }));
  await waitFor(() => expect(screen.getByText('not wanted')).toBeTruthy());
  await userEvent.click(screen.getByRole('button', { name: 'Open' }));
  await screen.findByRole('button', { name: 'Close' });
  expect(load).toHaveBeenCalledTimes(2);
});

it('stays closed when it was closed before its code came', async () => {
  let come: (component: typeof Fake) => void = () => undefined;
  const Dialog = onDemand<DialogProps>(() => new Promise((resolve) => (come = resolve)));
  const { rerender } = render(<Dialog opened onClose={() => undefined} />);
  rerender(<Dialog opened={false} onClose={() => undefined} />);
  await act(async () => come(Fake));
  expect(screen.queryByRole('button', { name: 'Close' })).toBeNull();
});
