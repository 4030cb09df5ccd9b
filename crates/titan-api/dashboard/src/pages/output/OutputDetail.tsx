// One output: where it comes from, what it is, and the decision about it.
import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { artifactUrl } from '../../api/calls';
import type { Output } from '../../api/types';
import { Age } from '../../components/Age';
import { CopyText } from '../../components/CopyText';
import { Status } from '../../components/Status';
import { formatBytes, shortId } from '../../lib/format';
import { DecisionForm } from './DecisionForm';
import classes from './OutputPage.module.css';
import { Preview } from './Preview';
import { Versions } from './Versions';

interface OutputDetailProps {
  output: Output;
  /** A decision asked for by key. */
  asked: { decision: 'approve' | 'reject'; at: number } | null;
  onDecided?: (output: Output) => void;
}

export function OutputDetail({ output, asked, onDecided }: OutputDetailProps) {
  return (
    <article className={classes.detail} aria-label={output.name} data-testid="output-detail">
      <header className={classes.detailHeader}>
        <h2 className={classes.detailName}>{output.name}</h2>
        <Status status={output.review === 'pending' ? 'review' : output.review} />
      </header>
      <p className={classes.facts}>
        <span>{output.media_type}</span>
        <span>{formatBytes(output.size)}</span>
        <Age at={output.created_at} />
        {output.run_id && (
          <Link to="/runs/$runId" params={{ runId: output.run_id }}>
            Run {shortId(output.run_id)}
          </Link>
        )}
        {output.task_id && (
          <Link
            to="/projects/$projectId/progress"
            params={{ projectId: output.project_id }}
            search={{ task: output.task_id }}
          >
            Task
          </Link>
        )}
        {output.sha256 && (
          <span>
            SHA-256 <CopyText value={output.sha256} label="Copy the checksum" text={output.sha256.slice(0, 8)} />
          </span>
        )}
        {output.kind !== 'link' && (
          <Anchor href={artifactUrl(output.id)} download={output.name} size="sm">
            Download
          </Anchor>
        )}
      </p>
      <DecisionForm output={output} asked={asked} onDecided={onDecided} />
      <Versions output={output} />
      <Preview output={output} />
    </article>
  );
}
