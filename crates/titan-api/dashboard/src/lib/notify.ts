// Short messages about the result of one's own action. Errors stay until they are closed.
import { notifications } from '@mantine/notifications';
import { asApiError } from '../api/errors';

const CLOSE = { 'aria-label': 'Close the message' };

export function notifyDone(message: string): void {
  notifications.show({ message, autoClose: 4000, withCloseButton: true, closeButtonProps: CLOSE });
}

export function notifyError(action: string, error: unknown): void {
  const problem = asApiError(error);
  const id = `${action}:${problem.code}`;
  const request = problem.requestId ? ` · request ${problem.requestId}` : '';
  notifications.hide(id);
  notifications.show({
    id,
    color: 'bad',
    title: `${action}: ${problem.title}`,
    message: `${problem.detail || problem.code}${request}`,
    autoClose: false,
    closeButtonProps: CLOSE,
    role: 'alert',
  });
}
