import { describe, expect, it } from 'vitest';
import type { TemplateInstall } from '../../api/types';
import { checkText, commandOf, gitText, openInstalls, sourceText } from './describe';

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

describe('templates from git', () => {
  const now = Date.parse('2026-05-02T12:00:00Z');
  const install = (id: string, change: Partial<TemplateInstall>): TemplateInstall => ({
    id,
    state: 'failed',
    url: 'https://example.com/a.git',
    ref: null,
    directory: null,
    error: 'no',
    commit: null,
    reference: null,
    sha256: null,
    unchanged: null,
    created_at: '2026-05-02T11:00:00Z',
    updated_at: '2026-05-02T11:00:00Z',
    ...change,
  });

  it('are told of while they are under way, and when they ended lately and were not tried again', () => {
    const list = [
      install('5', { state: 'pending', ref: 'v2' }),
      install('4', { ref: 'v1' }),
      install('3', { directory: 'sub', updated_at: '2026-05-01T11:59:59Z' }),
      install('2', { url: 'https://example.com/b.git' }),
      install('1', { url: 'https://example.com/c.git', state: 'installed', error: null }),
      install('0', { url: 'https://example.com/d.git', state: 'installed', updated_at: '2026-05-02T11:58:00Z' }),
    ];
    expect(openInstalls(list, now).map(({ id }) => id)).toEqual(['5', '2', '0']);
  });

  it('are named on one line, and say where they come from', () => {
    expect(gitText(install('1', {}))).toBe('https://example.com/a.git');
    expect(gitText(install('1', { ref: 'v1', directory: 'x/y' }))).toBe('https://example.com/a.git in x/y at v1');
    const offer = { version: '1.0.0', sha256: '', origin: 'an archive', installed_at: null, shadowed_by: null };
    expect(sourceText({ ...offer, source: 'installed' })).toBe('installed from an archive');
    expect(sourceText({ ...offer, source: 'folder', shadowed_by: 'installed' })).toBe(
      'from the folder of templates; the installed one counts',
    );
  });
});
