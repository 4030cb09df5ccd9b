// Reads fields of JSON whose shape the contract leaves open.
export function numberField(data: unknown, name: string): number | null {
  const value = field(data, name);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function textField(data: unknown, name: string): string | null {
  const value = field(data, name);
  return typeof value === 'string' ? value : null;
}

export function field(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined;
}

export const flagField = (data: unknown, name: string): boolean => field(data, name) === true;

/** What is missing, or no list, is an empty one. */
export function listField(data: unknown, name: string): unknown[] {
  const value = field(data, name);
  return Array.isArray(value) ? value : [];
}

export const textsField = (data: unknown, name: string): string[] =>
  listField(data, name).filter((entry) => typeof entry === 'string');

export const numbersField = (data: unknown, name: string): number[] =>
  listField(data, name).filter((entry) => typeof entry === 'number' && Number.isFinite(entry)) as number[];
