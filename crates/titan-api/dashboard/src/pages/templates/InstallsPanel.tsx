// Templates on their way from git: what is being fetched, what has just come, and what could not, with the reason.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { GitSource } from '../../api/calls';
import type { TemplateInstall } from '../../api/types';
import { Age } from '../../components/Age';
import { FailureText } from '../../components/FailureText';
import { Panel } from '../../components/Panel';
import { Status } from '../../components/Status';
import { templateInstallsQuery } from '../../data/pipelines';
import { useNow } from '../../lib/clock';
import { gitText, openInstalls } from './describe';
import classes from './Templates.module.css';

/** Nothing is shown while nothing is on its way, nor when it cannot be asked: the catalogue says that then. */
export function InstallsPanel({ onAgain }: { onAgain: (source: GitSource) => void }) {
  const { data } = useQuery(templateInstallsQuery());
  const now = useNow();
  const installs = openInstalls(data ?? [], now);
  return (
    <div aria-live="polite">
      {installs.length > 0 && (
        <Panel title="From git" flush testId="installs">
          <ul className={classes.rows}>
            {installs.map((install) => (
              <Row key={install.id} install={install} onAgain={onAgain} />
            ))}
          </ul>
        </Panel>
      )}
    </div>
  );
}

const LOOKS: Record<TemplateInstall['state'], { status: string; word: string }> = {
  pending: { status: 'running', word: 'Being fetched' },
  installed: { status: 'completed', word: 'Installed' },
  failed: { status: 'failed', word: 'Not installed' },
};

function Row({ install, onAgain }: { install: TemplateInstall; onAgain: (source: GitSource) => void }) {
  const { state, error, url, ref, directory, reference } = install;
  const failed = state === 'failed';
  const look = LOOKS[state];
  return (
    <li className={classes.install} data-testid="install" data-state={state}>
      <div className={classes.installText}>
        <Status status={look.status} label={look.word} /> <span className="mono">{gitText(install)}</span>{' '}
        <span className={classes.muted}>
          <Age at={install.created_at} />
        </span>
        {error !== null && (
          <p className={classes.reason}>
            {failed ? '' : 'It is tried again: '}
            <FailureText text={error} />
          </p>
        )}
      </div>
      {reference !== null && (
        <Link to="/templates" search={{ template: reference }}>
          {reference}
        </Link>
      )}
      {failed && (
        <Button
          variant="default"
          size="compact-sm"
          aria-label={`Try again: ${gitText(install)}`}
          onClick={() => onAgain({ git: url, ref: ref ?? '', directory: directory ?? '' })}
        >
          Try again
        </Button>
      )}
    </li>
  );
}
