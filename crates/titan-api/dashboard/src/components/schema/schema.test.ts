import { describe, expect, it } from 'vitest';
import { fieldsOf, initialValues, inputsOf, problemsFromServer, problemsOf } from './schema';

const SCHEMA = {
  type: 'object',
  required: ['title', 'size'],
  properties: {
    title: { type: 'string', title: 'Title', minLength: 1, maxLength: 5, pattern: '^[a-zäöü😀]*$' },
    description: { type: 'string', maxLength: 5000, default: '' },
    size: { type: 'integer', minimum: 1, maximum: 9 },
    ratio: { type: 'number', default: 1.5 },
    dark: { type: 'boolean', default: true },
    level: { enum: ['low', 3, 'high'], default: 3 },
    features: { type: 'array', maxItems: 2, items: { type: 'string', minLength: 1, maxLength: 4 }, default: ['one'] },
    extra: { type: 'object', default: { a: 1 } },
    language: { type: 'string', default: 'en', pattern: '(?P<name>no such syntax here)' },
  },
};
const fields = fieldsOf(SCHEMA);
const start = initialValues(fields);
const with_ = (change: Record<string, string | boolean>) => ({ ...start, title: 'abc', size: '3', ...change });

describe('a form of a schema', () => {
  it('has a field for each property, those first that must be filled in', () => {
    expect(fields.map(({ name, kind, required }) => [name, kind, required])).toEqual([
      ['title', 'line', true],
      ['size', 'number', true],
      ['description', 'text', false],
      ['ratio', 'number', false],
      ['dark', 'boolean', false],
      ['level', 'choice', false],
      ['features', 'lines', false],
      ['extra', 'json', false],
      ['language', 'line', false],
    ]);
  });

  it('begins with the defaults', () => {
    expect(start).toMatchObject({ title: '', ratio: '1.5', dark: true, level: '1', features: 'one', language: 'en' });
  });

  it('comes to inputs of the types that the schema names', () => {
    const values = with_({ title: ' abc ', features: ' a \n\nb\n', dark: false, level: '2' });
    expect(inputsOf(fields, values)).toEqual({
      title: 'abc',
      size: 3,
      ratio: 1.5,
      dark: false,
      level: 'high',
      features: ['a', 'b'],
      extra: { a: 1 },
      language: 'en',
    });
  });

  it('says what is needed', () => {
    expect(problemsOf(fields, start)).toEqual({ title: 'This is needed.', size: 'This is needed.' });
    expect(problemsOf(fields, with_({}))).toEqual({});
  });

  it.each([
    ['title', 'abcdef', 'At most 5 characters are possible, and these are 6.'],
    ['title', 'A', 'This must fit the pattern ^[a-zäöü😀]*$'],
    ['size', '1.5', 'This must be a whole number.'],
    ['size', '10', 'This must be at most 9.'],
    ['size', '0', 'This must be at least 1.'],
    ['ratio', 'many', 'This must be a number.'],
    ['features', 'a\nb\nc', 'At most 2 lines are possible, and these are 3.'],
    ['features', 'a\ntoo long', 'Line 2: At most 4 characters are possible, and these are 8.'],
    ['extra', '{', 'This is not JSON.'],
  ])('says what is wrong with %s = %s', (name, value, problem) => {
    expect(problemsOf(fields, with_({ [name]: value }))).toEqual({ [name]: problem });
  });

  it('counts characters as people do', () => {
    expect(problemsOf(fields, with_({ title: '😀😀😀😀😀' }))).toEqual({});
  });

  it("takes the server's problems to their fields", () => {
    const errors = [
      { field: 'inputs/title', message: 'is too long' },
      { field: '/inputs/features/1', message: 'is empty' },
      { field: 'name', message: 'is taken' },
    ];
    expect(problemsFromServer(errors)).toEqual({ title: 'is too long', features: 'Line 2: is empty' });
  });

  it('makes nothing of what is no schema', () => {
    expect(fieldsOf(null)).toEqual([]);
    expect(fieldsOf({ properties: [] })).toEqual([]);
  });
});
