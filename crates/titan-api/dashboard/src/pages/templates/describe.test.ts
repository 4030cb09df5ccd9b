import { describe, expect, it } from 'vitest';
import { checkText, commandOf } from './describe';

describe('a template in words', () => {
  it('shows a command as somebody would type it', () => {
    expect(commandOf({ run: ['npm', 'ci'] })).toBe('npm ci');
    expect(commandOf({ run: 'make && ./test' })).toBe('make && ./test');
  });

  it('says what a check asks for', () => {
    const http = (contains: string | null) => ({ name: 'x', http: { path: '/', status: 200, contains } });
    expect(checkText(http(null))).toBe('GET / answers 200');
    expect(checkText(http('tea'))).toBe('GET / answers 200 with tea');
    expect(checkText({ name: 'x', file: { path: 'a.css', contains: null } })).toBe('a.css is there');
    expect(checkText({ name: 'x', file: { path: 'a.css', contains: 'b' } })).toBe('a.css holds b');
    const command = { name: 't', run: ['./t'], timeout_seconds: 1, network: 'none', cache: [], env: {}, artifacts: [] };
    expect(checkText({ name: 'x', command: { ...command, network: 'none' } })).toBe('./t succeeds');
  });
});
