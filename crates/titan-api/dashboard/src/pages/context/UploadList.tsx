// Files that are on their way, and those that did not arrive.
import { Button, CloseButton, Loader } from '@mantine/core';
import classes from '../../components/List.module.css';
import { Panel } from '../../components/Panel';
import { formatBytes } from '../../lib/format';
import type { Uploads } from './useUploads';

export function UploadList({ uploads }: { uploads: Uploads }) {
  if (uploads.list.length === 0) return null;
  return (
    <Panel title="On their way" flush>
      <ul className={classes.rows} aria-label="Files on their way">
        {uploads.list.map((upload) => (
          <li key={upload.key} className={classes.row} data-testid="upload" data-failed={upload.failure !== null}>
            <div className={classes.text}>
              <p className={classes.name}>{upload.file.name}</p>
              <p className={classes.facts} role="status">
                <span>{formatBytes(upload.file.size)}</span>
                {upload.failure === null ? (
                  <span>is being sent</span>
                ) : (
                  <span className={classes.bad}>{upload.failure}</span>
                )}
              </p>
            </div>
            {upload.failure === null && <Loader size={16} aria-hidden />}
            {upload.again && upload.failure !== null && (
              <Button variant="default" size="compact-sm" onClick={() => uploads.retry(upload)}>
                Send again
              </Button>
            )}
            {upload.failure !== null && (
              <CloseButton
                aria-label={`Take ${upload.file.name} off the list`}
                onClick={() => uploads.forget(upload)}
              />
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
