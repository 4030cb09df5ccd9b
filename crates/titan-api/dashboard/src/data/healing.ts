// A query that failed for a passing reason (the database restarts, the server is away) asks again by itself. No hint
// would tell it that all is well again.
import { asApiError } from '../api/errors';

const AGAIN_MS = 5000;

interface QueryLike {
  state: { status: string; error: unknown };
}

export function untilHealed(query: QueryLike): number | false {
  return query.state.status === 'error' && asApiError(query.state.error).transient ? AGAIN_MS : false;
}

/** For numbers that move without a hint: as often as said while all is well, and not at all for what does not exist. */
export const steadily = (query: QueryLike, everyMs: number): number | false =>
  query.state.status === 'error' ? untilHealed(query) : everyMs;
