// The first steps as a page of their own. The list of projects shows them too, as long as there is none.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Panel } from '../../components/Panel';
import { skipFirstRun } from '../../lib/firstRun';
import { FirstSteps } from './FirstSteps';
import classes from './WelcomePage.module.css';

export function WelcomePage() {
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Welcome to Titan</h1>
      <p className={classes.lead}>
        You write what you need; tasks, runs, logs and results appear by themselves. This is what it takes.
      </p>
      <Panel title="First steps" testId="welcome">
        <FirstSteps
          withVariables
          actions={
            <Button component={Link} to="/projects" variant="default" onClick={skipFirstRun}>
              Skip this
            </Button>
          }
        />
      </Panel>
    </div>
  );
}
