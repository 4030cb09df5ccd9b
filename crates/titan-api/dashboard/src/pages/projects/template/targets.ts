// Where a template says that its projects can be deployed to, in words. The first is the usual one, as the server has it.
import type { Target, TemplateDetails } from '../../../api/types';

export const TARGETS: Record<Target, { label: string; description: string }> = {
  preview: { label: 'Preview', description: 'It is served on the machine of the worker, to be looked at.' },
  directory: { label: 'Folder', description: 'It is copied to a folder on the machine of the worker.' },
  hook: { label: 'Deploy hook', description: 'Another service is told to fetch it.' },
};

export function targetsOf({ manifest: { deploy } }: TemplateDetails): Target[] {
  const offered: [Target, boolean][] = [
    ['preview', deploy.preview !== null],
    ['directory', deploy.directory !== null],
    ['hook', deploy.hook],
  ];
  return offered.filter(([, is]) => is).map(([target]) => target);
}
