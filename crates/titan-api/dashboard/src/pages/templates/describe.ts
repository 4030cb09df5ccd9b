// What a template does, in words: its commands and its checks.
import type { TemplateCheck, TemplateSource, TemplateStep } from '../../api/types';

export const SOURCES: Record<TemplateSource, string> = {
  installed: 'installed',
  folder: 'from the folder of templates',
  built_in: 'comes with Titan',
};

export const commandOf = ({ run }: Pick<TemplateStep, 'run'>): string => (Array.isArray(run) ? run.join(' ') : run);

export function checkText(check: TemplateCheck): string {
  if ('http' in check) {
    const { path, status, contains } = check.http;
    return `GET ${path} answers ${status}${contains === null ? '' : ` with ${contains}`}`;
  }
  if ('file' in check) {
    const { path, contains } = check.file;
    return contains === null ? `${path} is there` : `${path} holds ${contains}`;
  }
  return `${commandOf(check.command)} succeeds`;
}
