// What a form has changed. Only that is sent, so that what somebody else has changed meanwhile stays.
type Body = Record<string, unknown>;

/** The fields in which `now` differs from `before`; those of `together` mean nothing without each other. */
export function changesOf<T extends Body>(now: T, before: T, together: readonly (keyof T)[] = []): Partial<T> {
  const differs = (field: keyof T) => JSON.stringify(now[field]) !== JSON.stringify(before[field]);
  const group = together.some(differs);
  const changed = Object.entries(now).filter(([field]) => (together.includes(field) ? group : differs(field)));
  return Object.fromEntries(changed) as Partial<T>;
}
