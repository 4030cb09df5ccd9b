import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './errors';
import { timedFetch, withQuery } from './http';

const problem = {
  type: 'about:blank',
  title: 'The request is not valid',
  status: 422,
  detail: 'name must not be empty',
  code: 'validation_failed',
  request_id: 'req-1',
  errors: [{ field: 'name', message: 'must not be empty' }],
};

function answer(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers });
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('ApiError', () => {
  it('reads a problem document', async () => {
    const error = await ApiError.fromResponse(answer(422, JSON.stringify(problem)));
    expect(error).toMatchObject({ status: 422, code: 'validation_failed', requestId: 'req-1' });
    expect(error.fieldMessage('name')).toBe('must not be empty');
    expect(error.transient).toBe(false);
  });

  it('stays readable when the answer is a page of a proxy', async () => {
    const error = await ApiError.fromResponse(answer(502, '<html>bad gateway</html>', { 'x-request-id': 'req-2' }));
    expect(error).toMatchObject({ status: 502, code: 'http_502', requestId: 'req-2' });
    expect(error.transient).toBe(true);
  });
});

describe('timedFetch', () => {
  it('gives up after its time and says so', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', (_url: string, init: RequestInit) => rejectOnAbort(init));
    const result = timedFetch('/api/x', {}, 20_000).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await result).toMatchObject({ reason: 'timeout', code: 'request_timeout' });
  });

  it('gives up on a body that stalls half-way', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode('{"items":'));
          init.signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
        },
      });
      return new Response(body, { status: 200 });
    });
    const result = timedFetch('/api/x', {}, 20_000).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await result).toMatchObject({ reason: 'timeout' });
  });

  it('turns an unreachable server into a network error', async () => {
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('Failed to fetch');
    });
    await expect(timedFetch('/api/x')).rejects.toMatchObject({ reason: 'network', code: 'unreachable' });
  });

  it("leaves a caller's own abort alone", async () => {
    const mine = new AbortController();
    vi.stubGlobal('fetch', (_url: string, init: RequestInit) => rejectOnAbort(init));
    const result = timedFetch('/api/x', { signal: mine.signal }).catch((error: unknown) => error);
    mine.abort();
    expect(await result).not.toBeInstanceOf(ApiError);
  });
});

describe('withQuery', () => {
  it('leaves out what is not set and escapes the rest', () => {
    expect(withQuery('/api/x', { q: 'a b&c', level: undefined, cursor: null, limit: 50 })).toBe(
      '/api/x?q=a+b%26c&limit=50',
    );
    expect(withQuery('/api/x', { q: '' })).toBe('/api/x');
  });
});

function rejectOnAbort(init: RequestInit): Promise<Response> {
  return new Promise((_resolve, reject) => {
    init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });
}
