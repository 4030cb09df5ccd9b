// Where the project can be seen, and the newest version that was published.
import { Anchor, Button } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Preview, Publication, Target } from '../../../api/types';
import { Age } from '../../../components/Age';
import { CopyText } from '../../../components/CopyText';
import { QueryView } from '../../../components/QueryView';
import { Status } from '../../../components/Status';
import { newestPublicationQuery, previewQuery, useServePreview } from '../../../data/pipelines';
import { useOffline } from '../../../live/hooks';
import classes from './Pipeline.module.css';

export function Result({ projectId, target }: { projectId: string; target: Target }) {
  const preview = useQuery(previewQuery(projectId));
  const publication = useQuery(newestPublicationQuery(projectId));
  return (
    <dl className={classes.result}>
      {(target === 'preview' || preview.data) && (
        <div>
          <dt>Preview</dt>
          <dd data-testid="preview">
            <QueryView query={preview} what="the preview" skeleton={null}>
              {(data) =>
                data === null ? (
                  <span className={classes.muted}>Nothing to be seen before it is deployed.</span>
                ) : (
                  <Served preview={data} />
                )
              }
            </QueryView>
          </dd>
        </div>
      )}
      <div>
        <dt>Published</dt>
        <dd data-testid="publication">
          <QueryView query={publication} what="what was published" skeleton={null}>
            {(data) =>
              data === null ? <span className={classes.muted}>Nothing yet.</span> : <Version publication={data} />
            }
          </QueryView>
        </dd>
      </div>
    </dl>
  );
}

/** Running is how it should be, not work under way. */
const WORDS: Record<string, string> = { running: 'Running' };

function Served({ preview }: { preview: Preview }) {
  const serve = useServePreview(preview.project_id);
  const offline = useOffline();
  const up = preview.state === 'running' || preview.state === 'starting';
  return (
    <>
      <span className={classes.facts}>
        <Status status={preview.state === 'running' ? 'healthy' : preview.state} label={WORDS[preview.state]} />
        {preview.state === 'running' && preview.address !== null && <Address address={preview.address} />}
        <Button
          size="compact-sm"
          variant="default"
          aria-label={up ? 'Stop the preview' : 'Start the preview'}
          disabled={offline}
          loading={serve.isPending}
          onClick={() => serve.mutate(!up)}
        >
          {up ? 'Stop' : 'Start'}
        </Button>
      </span>
      {preview.error !== null && <p className={classes.bad}>{preview.error}</p>}
    </>
  );
}

function Version({ publication }: { publication: Publication }) {
  return (
    <span className={classes.facts}>
      <strong>v{publication.number}</strong>
      <span className={classes.muted}>
        <Age at={publication.created_at} />
      </span>
      <CopyText
        value={publication.commit_id}
        text={publication.commit_id.slice(0, 12)}
        label="Copy the published commit"
      />
      {publication.address !== null && !isWeb(publication.address) && (
        <span className={classes.path}>{publication.address}</span>
      )}
    </span>
  );
}

const isWeb = (address: string) => /^https?:\/\//.test(address);

/** A second tab, so that the pipeline stays where it is. */
function Address({ address }: { address: string }) {
  if (!isWeb(address)) return <span className={classes.path}>{address}</span>;
  return (
    <Anchor href={address} target="_blank" rel="noopener noreferrer" className={classes.address ?? ''}>
      {address}
      <IconExternalLink size={14} aria-hidden />
      <span className="sr-only"> (opens a new tab)</span>
    </Anchor>
  );
}
