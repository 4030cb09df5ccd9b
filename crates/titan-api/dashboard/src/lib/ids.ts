// Random ids made in the browser. `crypto.randomUUID` exists only in secure contexts, and Titan may be opened over plain
// HTTP from another machine, so the bytes are taken from `getRandomValues` then.
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
