// What an approval would make, and the button that does it.
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { approvePlan } from '../../api/calls';
import { ErrorPanel } from '../../components/ErrorPanel';
import { Panel } from '../../components/Panel';
import { keys } from '../../data/keys';
import { notifyDone } from '../../lib/notify';
import { useOffline } from '../../live/hooks';
import classes from './Plan.module.css';
import { RefuseDialog } from './RefuseDialog';
import { type PlanInView, sumOf } from './sections';

interface ApprovalProps {
  projectId: string;
  version: number;
  plan: PlanInView;
  onDecided: () => void;
}

export function Approval({ projectId, version, plan, onDecided }: ApprovalProps) {
  const client = useQueryClient();
  const offline = useOffline();
  const sum = sumOf(plan.tasks ?? []);
  const refresh = () => {
    for (const key of [keys.plans(projectId), keys.tasks(projectId), keys.stats(projectId), keys.project(projectId)]) {
      void client.invalidateQueries({ queryKey: key });
    }
  };
  const approve = useMutation({
    mutationFn: () => approvePlan(projectId, version),
    onSuccess: (charter) => {
      notifyDone(`Charter ${charter.number} is approved`);
      onDecided();
    },
    onSettled: refresh,
  });
  const [refusing, setRefusing] = useState(false);
  return (
    <Panel title="Approve" testId="approval">
      <ul className={classes.lines}>
        <li>
          {count(sum.tasks, 'task')}
          {sum.groups > 0 && ` in ${count(sum.groups, 'group')}`} will be created.
        </li>
        <li>
          {sum.alone === 0 ? 'None' : sum.alone} of them {sum.alone === 1 ? 'runs' : 'run'} by itself as soon as what it
          needs is done, under the project's budget; {sum.byHand} {sum.byHand === 1 ? 'waits' : 'wait'} for a person.
        </li>
        {(plan.questions?.length ?? 0) > 0 && (
          <li>{count(plan.questions?.length ?? 0, 'question')} would stay open: the plan's assumptions hold then.</li>
        )}
        {plan.template !== undefined && <li>The project will be made from {plan.template.split(':')[0]}.</li>}
        <li>The charter is for good: another version of the plan makes another charter.</li>
      </ul>
      {approve.error && <ErrorPanel error={approve.error} compact />}
      <div className={classes.choices}>
        <Button disabled={offline} loading={approve.isPending} onClick={() => approve.mutate()}>
          Approve charter and create {count(sum.tasks, 'task')}
        </Button>
        <Button variant="default" disabled={offline || approve.isPending} onClick={() => setRefusing(true)}>
          Refuse this version
        </Button>
      </div>
      {refusing && (
        <RefuseDialog
          projectId={projectId}
          version={version}
          onSettled={refresh}
          onRefused={onDecided}
          onClose={() => setRefusing(false)}
        />
      )}
    </Panel>
  );
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
