// What a person can do about the tasks of a charter.
import type { Charter, CharterItem } from '../../api/types';

/** A task for a person, whose turn has come. */
export function isFree(charter: Charter, item: CharterItem): boolean {
  if (item.progress !== null || item.execution_type !== 'manual' || item.execution_status !== 'pending') return false;
  const stands = (id: string) => charter.items.find((other) => other.task_id === id)?.execution_status;
  // A need may be a task of an earlier charter, which is not listed here: then the server judges.
  return item.needs.every((id) => ['completed', 'canceled', undefined].includes(stands(id)));
}
