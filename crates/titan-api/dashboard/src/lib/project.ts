// What the pages read from a project's free-form spec.
import type { Project } from '../api/types';
import { textField } from './fields';

export const descriptionOf = (project: Project): string => textField(project.spec, 'description') ?? '';
