// The options that calls have in common.

export type Signal = AbortSignal | undefined;
const PAGE = 50;

/** openapi-fetch tells an absent option from an undefined one. */
export const abortable = (signal: Signal) => (signal === undefined ? {} : { signal });
export const page = (cursor: string | null, limit = PAGE) => (cursor === null ? { limit } : { limit, cursor });
