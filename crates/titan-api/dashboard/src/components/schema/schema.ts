// A form made of a JSON Schema, as pure data: its fields, what is wrong with their values, and the inputs they come to. The
// server is the judge; here is only what can be said before it is asked.

export type FieldKind = 'line' | 'text' | 'number' | 'boolean' | 'choice' | 'lines' | 'json';

export interface SchemaField {
  name: string;
  kind: FieldKind;
  label: string;
  description: string | undefined;
  required: boolean;
  /** What may be chosen. */
  choices: readonly unknown[];
  whole: boolean;
  schema: Record<string, unknown>;
}

/** What is typed: texts, and switches. */
export type Values = Record<string, string | boolean>;
/** By the name of the field. */
export type Problems = Record<string, string>;

/** A text that may be longer than this is written in more than one line. */
const LONG = 300;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined);
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

export function fieldsOf(schema: unknown): SchemaField[] {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  const required = isObject(schema) && Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries(properties).map(([name, raw]): SchemaField => {
    const own = isObject(raw) ? raw : {};
    return {
      name,
      kind: kindOf(own),
      label: textOf(own.title) ?? name.replaceAll('_', ' '),
      description: textOf(own.description),
      required: required.includes(name),
      choices: Array.isArray(own.enum) ? own.enum : [],
      whole: own.type === 'integer',
      schema: own,
    };
  });
  // Properties have no order, so what must be said comes first.
  return fields.sort((a, b) => Number(b.required) - Number(a.required));
}

function kindOf(schema: Record<string, unknown>): FieldKind {
  if (Array.isArray(schema.enum)) return 'choice';
  switch (schema.type) {
    case 'string': {
      const longest = numberOf(schema.maxLength);
      const free = schema.pattern === undefined && schema.format === undefined;
      return free && longest !== undefined && longest > LONG ? 'text' : 'line';
    }
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return isObject(schema.items) && schema.items.type === 'string' && !Array.isArray(schema.items.enum)
        ? 'lines'
        : 'json';
    default:
      return 'json';
  }
}

/** What stands in the fields at first: the defaults. */
export function initialValues(fields: readonly SchemaField[]): Values {
  return Object.fromEntries(fields.map((field) => [field.name, written(field, field.schema.default)]));
}

/** A value as it is typed into its field. */
function written({ kind, choices }: SchemaField, value: unknown): string | boolean {
  if (kind === 'boolean') return value === true;
  if (value === undefined) return '';
  if (kind === 'choice') {
    const index = choices.indexOf(value);
    return index === -1 ? '' : String(index);
  }
  if (kind === 'lines') return Array.isArray(value) ? value.join('\n') : '';
  if (kind === 'json') return JSON.stringify(value, null, 2);
  return String(value);
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** What is wrong with each field. */
export function problemsOf(fields: readonly SchemaField[], values: Values): Problems {
  const found: Problems = {};
  for (const field of fields) {
    const problem = problemOf(field, values[field.name] ?? '');
    if (problem !== null) found[field.name] = problem;
  }
  return found;
}

function problemOf(field: SchemaField, value: string | boolean): string | null {
  if (typeof value === 'boolean') return null;
  const { kind, schema } = field;
  if (kind === 'lines') return problemOfLines(field, lines(value));
  if (value.trim() === '') return isNeeded(field) ? 'This is needed.' : null;
  if (kind === 'number') return problemOfNumber(field, Number(value.trim()));
  if (kind === 'json') return isJson(value) ? null : 'This is not JSON.';
  return kind === 'choice' ? null : problemOfText(schema, value);
}

/** An empty text may be one that is allowed. */
function isNeeded({ kind, required, schema }: SchemaField): boolean {
  if (kind !== 'line' && kind !== 'text') return required;
  return (required && schema.minLength !== 0) || (numberOf(schema.minLength) ?? 0) > 0;
}

function problemOfText(schema: Record<string, unknown>, value: string): string | null {
  // Characters as people count them, not units of UTF-16: so does the server.
  const length = [...value].length;
  const [least, most] = [numberOf(schema.minLength), numberOf(schema.maxLength)];
  if (least !== undefined && length < least) return `At least ${least} characters are needed.`;
  if (most !== undefined && length > most) return `At most ${most} characters are possible, and these are ${length}.`;
  const pattern = textOf(schema.pattern);
  return pattern !== undefined && !matches(pattern, value) ? `This must fit the pattern ${pattern}` : null;
}

/** A pattern that this browser cannot read is left to the server. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

function problemOfNumber({ whole, schema }: SchemaField, value: number): string | null {
  if (!Number.isFinite(value)) return 'This must be a number.';
  if (whole && !Number.isInteger(value)) return 'This must be a whole number.';
  const [least, most] = [numberOf(schema.minimum), numberOf(schema.maximum)];
  if (least !== undefined && value < least) return `This must be at least ${least}.`;
  if (most !== undefined && value > most) return `This must be at most ${most}.`;
  return null;
}

function problemOfLines({ required, schema }: SchemaField, items: string[]): string | null {
  const [least, most] = [numberOf(schema.minItems) ?? 0, numberOf(schema.maxItems)];
  if (items.length === 0 && required && least > 0) return 'This is needed.';
  if (items.length < least) return `At least ${least} lines are needed.`;
  if (most !== undefined && items.length > most)
    return `At most ${most} lines are possible, and these are ${items.length}.`;
  const own = isObject(schema.items) ? schema.items : {};
  for (const [index, item] of items.entries()) {
    const problem = problemOfText(own, item);
    if (problem !== null) return `Line ${index + 1}: ${problem}`;
  }
  return null;
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/** What the fields come to. What was left empty is left out, so that the template's default counts. */
export function inputsOf(fields: readonly SchemaField[], values: Values): Record<string, unknown> {
  const inputs: Record<string, unknown> = {};
  for (const field of fields) {
    const value = read(field, values[field.name] ?? '');
    if (value !== undefined) inputs[field.name] = value;
  }
  return inputs;
}

function read({ kind, choices, schema }: SchemaField, value: string | boolean): unknown {
  if (typeof value === 'boolean') return value;
  if (kind === 'lines') return lines(value);
  if (value.trim() === '') {
    // Emptied by a person, where the default is something else: that is meant.
    return (kind === 'line' || kind === 'text') && textOf(schema.default) ? '' : undefined;
  }
  if (kind === 'number') return Number(value.trim());
  if (kind === 'choice') return choices[Number(value)];
  if (kind === 'json') return JSON.parse(value);
  return kind === 'line' ? value.trim() : value;
}

/** The server names a field as `inputs/features/0`; what it says of a part belongs to the whole field. */
export function problemsFromServer(errors: readonly { field: string; message: string }[]): Problems {
  const found: Problems = {};
  for (const { field, message } of errors) {
    const [root, name, ...rest] = field.replace(/^\//, '').split('/');
    if (root !== 'inputs' || name === undefined) continue;
    const [item] = rest;
    const place = item === undefined ? '' : /^\d+$/.test(item) ? `Line ${Number(item) + 1}: ` : `${rest.join('/')}: `;
    found[name] ??= `${place}${message}`;
  }
  return found;
}
