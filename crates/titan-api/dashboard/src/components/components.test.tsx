import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/errors';
import { renderPage } from '../test/render';
import { ErrorPanel } from './ErrorPanel';
import { Loading } from './Loading';
import { QueryView } from './QueryView';
import { Status } from './Status';

describe('ErrorPanel', () => {
  it('shows title, detail, code, request id and fields, and offers a retry', async () => {
    const retry = vi.fn();
    const error = new ApiError('problem', {
      title: 'The request is not valid',
      detail: 'Two fields are wrong.',
      status: 422,
      code: 'validation_failed',
      request_id: 'abc-12345678',
      errors: [{ field: 'name', message: 'must not be empty' }],
    });
    await renderPage(<ErrorPanel error={error} onRetry={retry} />);
    const panel = screen.getByRole('alert');
    for (const text of [
      'The request is not valid',
      'Two fields are wrong.',
      'validation_failed',
      'name: must not be empty',
    ]) {
      expect(panel.textContent).toContain(text);
    }
    expect(screen.getByRole('button', { name: 'Copy the request id: 12345678' })).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
    expect(retry).toHaveBeenCalledOnce();
  });
});

describe('Loading', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is quiet for 150 ms, then has a shape, and after 10 s says so with a way out', async () => {
    await renderPage(<Loading what="tasks" onRetry={() => undefined} skeleton={<div data-testid="shape" />} />);
    expect(screen.queryByTestId('shape')).toBeNull();
    await act(() => vi.advanceTimersByTimeAsync(160));
    expect(screen.getByTestId('shape')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Retry' })).toBeNull();
    await act(() => vi.advanceTimersByTimeAsync(10_000));
    expect(screen.getByText('Still loading tasks.')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Retry' })).toBeTruthy();
  });
});

describe('QueryView', () => {
  it('keeps old data on the screen when newer data cannot be fetched', async () => {
    const query = { data: 'old', error: ApiError.timeout(20_000), isPending: false, refetch: () => undefined };
    await renderPage(
      <QueryView query={query} what="things">
        {(data) => <p>{data}</p>}
      </QueryView>,
    );
    expect(screen.getByText('old')).toBeTruthy();
    expect(screen.getByRole('alert').textContent).toContain('took too long');
  });
});

describe('Status', () => {
  it('says every state as a word, also where only the icon is seen', async () => {
    await renderPage(
      <>
        <Status status="in_progress" />
        <Status status="failed" iconOnly />
        <Status status="something_new" />
      </>,
    );
    for (const word of ['In progress', 'Failed', 'something new']) expect(screen.getByText(word)).toBeTruthy();
  });
});
