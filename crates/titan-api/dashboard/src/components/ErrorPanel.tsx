// What went wrong, in the server's words, with the code and the request id somebody can pass on, and a way to try again.
import { Button } from '@mantine/core';
import { IconAlertOctagon } from '@tabler/icons-react';
import { asApiError } from '../api/errors';
import { CopyText } from './CopyText';
import classes from './States.module.css';

interface ErrorPanelProps {
  error: unknown;
  onRetry?: (() => void) | undefined;
  /** One line instead of a block, for a failed refresh or a failed action beside its button. */
  compact?: boolean;
}

export function ErrorPanel({ error, onRetry, compact = false }: ErrorPanelProps) {
  const problem = asApiError(error);
  return (
    <div className={compact ? classes.errorCompact : classes.error} role="alert" data-testid="error">
      <IconAlertOctagon size={18} aria-hidden className={classes.errorIcon} />
      <div className={classes.errorText}>
        <strong>{problem.title}</strong>
        {problem.detail && <p>{problem.detail}</p>}
        {problem.fields.length > 0 && (
          <ul>
            {problem.fields.map((field) => (
              <li key={field.field}>
                {field.field}: {field.message}
              </li>
            ))}
          </ul>
        )}
        <p className={classes.errorCode}>
          <span className="mono">{problem.code}</span>
          {problem.requestId && (
            <>
              {' '}
              request <CopyText value={problem.requestId} label="Copy the request id" />
            </>
          )}
        </p>
      </div>
      {onRetry && (
        <Button size="compact-sm" variant="default" onClick={onRetry}>
          Retry
        </Button>
      )}
    </div>
  );
}
