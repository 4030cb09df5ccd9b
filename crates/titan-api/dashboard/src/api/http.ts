// The one place that talks HTTP: a typed client whose every request gets a deadline and whose every failure becomes an
// ApiError.
import createClient from 'openapi-fetch';
import { ApiError } from './errors';
import type { paths } from './schema';
import type { Page } from './types';

export const REQUEST_TIMEOUT_MS = 20_000;
const UPLOAD_TIMEOUT_MS = 120_000;

/** `fetch` with a deadline. A caller's own abort is passed on as it is, so that cancelled queries stay silent. */
export async function timedFetch(
  input: string | Request,
  init: RequestInit = {},
  timeoutMs = REQUEST_TIMEOUT_MS,
): Promise<Response> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const outer = init.signal ?? (typeof input === 'string' ? undefined : input.signal);
  const forward = () => deadline.abort(outer?.reason);
  if (outer?.aborted) forward();
  outer?.addEventListener('abort', forward);
  try {
    const response = await fetch(input, { ...init, signal: deadline.signal });
    // Read to the end here: a body that stalls half-way must meet the deadline too.
    const body = response.status === 204 || response.status === 304 ? null : await response.arrayBuffer();
    return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
  } catch (error) {
    if (outer?.aborted) throw error;
    throw deadline.signal.aborted ? ApiError.timeout(timeoutMs) : ApiError.network(error);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', forward);
  }
}

export const http = createClient<paths>({
  baseUrl: globalThis.location.origin,
  headers: { Accept: 'application/json' },
  fetch: (request) => timedFetch(request),
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a good answer; anything else is thrown. Some addresses also answer text, to requests we do not make. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<Exclude<T, string>> {
  const { data, error, response } = await answer;
  if (!response.ok) throw ApiError.fromBody(response, error);
  return data as Exclude<T, string>;
}

/**
 * The same for a list. The document repeats the schema of an item inside its page, and there fields that may be null are
 * optional too; the server sends them always, as the item's own schema says.
 */
export function unwrapPage<T>(answer: Promise<Answer<Page<Partial<T>>>>): Promise<Page<T>> {
  return unwrap(answer) as Promise<Page<T>>;
}

/** A file as the body, and longer to send it than a few words need. */
export async function upload<T>(address: string, file: Blob, mediaType: string, key: string): Promise<T> {
  const headers = { Accept: 'application/json', 'Content-Type': mediaType, 'Idempotency-Key': key };
  const response = await timedFetch(address, { method: 'POST', body: file, headers }, UPLOAD_TIMEOUT_MS);
  if (!response.ok) throw await ApiError.fromResponse(response);
  return (await response.json()) as T;
}

type QueryValue = string | number | null | undefined;

/** For addresses that the browser itself follows, such as downloads. */
export function withQuery(path: string, query: Record<string, QueryValue> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}
