// What Titan still needs, and the way to see it at work without that: a worker, a provider, a first project.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Setup } from '../../api/types';
import { Command } from '../../components/Command';
import { ErrorPanel } from '../../components/ErrorPanel';
import { QueryView } from '../../components/QueryView';
import { Status } from '../../components/Status';
import { setupQuery } from '../../data/queries';
import { useOffline } from '../../live/hooks';
import { SetupList } from '../system/SetupList';
import { answersOffline } from '../system/setupGroups';
import { useDemo } from './useDemo';
import classes from './WelcomePage.module.css';

interface FirstStepsProps {
  /** On System the variables have a panel of their own. */
  withVariables?: boolean;
  /** More to do beside the demo. */
  actions?: ReactNode;
}

export function FirstSteps({ withVariables = false, actions }: FirstStepsProps) {
  const setup = useQuery(setupQuery());
  return (
    <QueryView query={setup} what="the setup">
      {(data) => (
        <ol className={classes.steps} data-testid="first-steps">
          <WorkerStep running={data.worker_running} />
          <TryStep offline={answersOffline(data)} actions={actions} />
          <ProviderStep setup={data} withVariables={withVariables} />
        </ol>
      )}
    </QueryView>
  );
}

function Step({ title, state, children }: { title: string; state: ReactNode; children: ReactNode }) {
  return (
    <li className={classes.step}>
      <div className={classes.stepHead}>
        <strong>{title}</strong>
        {state}
      </div>
      {children}
    </li>
  );
}

function WorkerStep({ running }: { running: boolean }) {
  return (
    <Step
      title="A worker"
      state={<Status status={running ? 'healthy' : 'waiting'} label={running ? 'Runs' : 'Missing'} />}
    >
      {running ? (
        <p className={classes.text}>It takes tasks and works on them.</p>
      ) : (
        <div className={classes.text}>
          Without one, tasks are kept and wait. <Command text="titan-worker run" />
        </div>
      )}
    </Step>
  );
}

function ProviderStep({ setup, withVariables }: { setup: Setup; withVariables: boolean }) {
  const offline = answersOffline(setup);
  return (
    <Step
      title="A model that answers"
      state={<Status status={offline ? 'pending' : 'healthy'} label={offline ? 'Not yet' : 'Set up'} />}
    >
      {!offline && <p className={classes.text}>{setup.default_provider} answers when a task names no other.</p>}
      {offline && !withVariables && (
        <p className={classes.text}>
          The key of one provider is enough:{' '}
          <Link to="/system" hash="setup">
            which variables there are
          </Link>
          .
        </p>
      )}
      {offline && withVariables && (
        <div className={classes.variables}>
          <SetupList setup={setup} />
        </div>
      )}
    </Step>
  );
}

function TryStep({ offline, actions }: { offline: boolean; actions: ReactNode }) {
  const demo = useDemo();
  const away = useOffline();
  return (
    <Step title="A first project" state={null}>
      <p className={classes.text}>
        {offline
          ? 'The demo needs no key: it makes a project with a first message, and the offline provider answers it.'
          : 'The demo makes a project with a first message, which is answered at once.'}
      </p>
      {demo.error && <ErrorPanel error={demo.error} compact />}
      <div className={classes.buttons}>
        <Button
          disabled={away}
          loading={demo.isPending}
          title={away ? 'Titan cannot be reached now' : undefined}
          onClick={() => demo.mutate()}
          data-testid="demo"
        >
          {offline ? 'Try the offline demo' : 'Try the demo'}
        </Button>
        {actions}
      </div>
    </Step>
  );
}
