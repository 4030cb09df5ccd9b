// Reads fields of JSON whose shape the contract leaves open.
export function numberField(data: unknown, name: string): number | null {
  const value = field(data, name);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function textField(data: unknown, name: string): string | null {
  const value = field(data, name);
  return typeof value === 'string' ? value : null;
}

function field(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined;
}
