// Whether Titan itself is well: workers, queue, model providers, and what is configured.
import { useQuery } from '@tanstack/react-query';
import { INSTALLATION } from '../../api/calls';
import { BudgetBar } from '../../components/budget/BudgetBar';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { WorkerTable } from '../../components/WorkerTable';
import { healthQuery, providersQuery, setupQuery, workersQuery } from '../../data/queries';
import { FirstSteps } from '../welcome/FirstSteps';
import { HealthFacts } from './HealthFacts';
import { ModelPanel } from './ModelPanel';
import { ProviderTable } from './ProviderTable';
import { SetupList } from './SetupList';
import classes from './SystemPage.module.css';
import { answersOffline } from './setupGroups';

export function SystemPage() {
  const health = useQuery(healthQuery());
  const workers = useQuery(workersQuery());
  const providers = useQuery(providersQuery());
  const setup = useQuery(setupQuery());
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>System</h1>
      {setup.data && answersOffline(setup.data) && (
        <Panel title="First steps" testId="first-steps-panel">
          <FirstSteps />
        </Panel>
      )}
      <Panel title="Health and queue" testId="health">
        <QueryView query={health} what="health">
          {(data) => <HealthFacts health={data} />}
        </QueryView>
      </Panel>
      <Panel title="Workers" flush testId="workers">
        <QueryView query={workers} what="workers">
          {(data) => <WorkerTable health={data} />}
        </QueryView>
      </Panel>
      <Panel title="Model providers" flush testId="providers">
        <QueryView query={providers} what="providers">
          {(data) => <ProviderTable providers={data.items} />}
        </QueryView>
      </Panel>
      <ModelPanel />
      <Panel title="Budget of all projects together" testId="installation-budget">
        <BudgetBar place={INSTALLATION} />
      </Panel>
      <div id="setup" className={classes.anchor}>
        <Panel title="Setup" flush testId="setup">
          <QueryView query={setup} what="the setup">
            {(data) => <SetupList setup={data} />}
          </QueryView>
        </Panel>
      </div>
    </div>
  );
}
