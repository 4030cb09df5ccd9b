// One error class for everything that can go wrong with a request, so that each page can show the same panel.
import type { FieldError, Problem } from './types';

export type ApiErrorReason = 'problem' | 'network' | 'timeout';

export class ApiError extends Error {
  readonly reason: ApiErrorReason;
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | null;
  readonly fields: FieldError[];

  constructor(reason: ApiErrorReason, problem: Partial<Problem> & { title: string; code: string }) {
    super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title);
    this.name = 'ApiError';
    this.reason = reason;
    this.status = problem.status ?? 0;
    this.code = problem.code;
    this.title = problem.title;
    this.detail = problem.detail ?? '';
    this.requestId = problem.request_id || null;
    this.fields = problem.errors ?? [];
  }

  /** True when the same request may succeed a moment later without any change. */
  get transient(): boolean {
    return this.reason !== 'problem' || this.status === 429 || this.status >= 502;
  }

  /** The message that belongs to one form field, if the server named it. */
  fieldMessage(field: string): string | null {
    return this.fields.find((entry) => entry.field === field || entry.field.endsWith(`.${field}`))?.message ?? null;
  }

  static network(cause: unknown): ApiError {
    const detail = cause instanceof Error && cause.message ? `The browser says: ${cause.message}.` : '';
    return new ApiError('network', { title: 'Titan cannot be reached', code: 'unreachable', detail });
  }

  static timeout(milliseconds: number): ApiError {
    const detail = `No answer within ${Math.round(milliseconds / 1000)} seconds.`;
    return new ApiError('timeout', { title: 'The request took too long', code: 'request_timeout', detail });
  }

  /** Takes a problem document; an answer that is none (a proxy's page) still becomes a readable error. */
  static fromBody(response: Response, body: unknown): ApiError {
    const requestId = response.headers.get('x-request-id');
    if (typeof body === 'object' && body !== null && 'code' in body && 'title' in body) {
      const problem = body as Problem;
      return new ApiError('problem', {
        ...problem,
        status: response.status,
        request_id: problem.request_id || (requestId ?? ''),
      });
    }
    return new ApiError('problem', {
      title: response.statusText || `HTTP status ${response.status}`,
      status: response.status,
      code: `http_${response.status}`,
      ...(requestId === null ? {} : { request_id: requestId }),
    });
  }

  static async fromResponse(response: Response): Promise<ApiError> {
    const text = await response.text();
    try {
      return ApiError.fromBody(response, JSON.parse(text));
    } catch {
      return ApiError.fromBody(response, text);
    }
  }
}

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : ApiError.network(error);
}
