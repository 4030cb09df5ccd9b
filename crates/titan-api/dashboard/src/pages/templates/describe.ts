// What a template does, in words: its commands and its checks.
import type { TemplateCheck, TemplateInstall, TemplateOffer, TemplateSource, TemplateStep } from '../../api/types';

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

/** Where a version comes from, as far as that is known. */
export function sourceText({ source, origin, shadowed_by }: TemplateOffer): string {
  const from = source === 'installed' && origin !== null ? `installed from ${origin}` : SOURCES[source];
  return shadowed_by === null
    ? from
    : `${from}; the ${shadowed_by === 'installed' ? 'installed one' : 'one in the folder'} counts`;
}

/** What is fetched, on one line. */
export function gitText({ url, ref, directory }: Pick<TemplateInstall, 'url' | 'ref' | 'directory'>): string {
  return `${url}${directory === null ? '' : ` in ${directory}`}${ref === null ? '' : ` at ${ref}`}`;
}

const FAILURES_MS = 24 * 3600 * 1000;
const SUCCESSES_MS = 5 * 60 * 1000;

/** What somebody may be waiting for or have to do something about: what is under way, and what ended lately and was not tried again. */
export function openInstalls(installs: readonly TemplateInstall[], now: number): TemplateInstall[] {
  const seen = new Set<string>();
  return installs.filter((install) => {
    const what = `${install.url} ${install.directory}`;
    const isNewest = !seen.has(what);
    seen.add(what);
    if (install.state === 'pending') return true;
    const told = install.state === 'failed' ? FAILURES_MS : SUCCESSES_MS;
    return isNewest && now - Date.parse(install.updated_at) < told;
  });
}
