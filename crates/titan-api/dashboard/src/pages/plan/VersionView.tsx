// One version: what it says, its questions while it is the newest draft, and the approval.
import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { planQuery } from '../../data/queries';
import { Approval } from './Approval';
import classes from './Plan.module.css';
import { PlanSections } from './PlanSections';
import { Questions } from './Questions';
import { planInView } from './sections';

interface VersionViewProps {
  projectId: string;
  version: number;
  newest: number;
  /** The next one is on its way. */
  drafting: boolean;
  onNewest: () => void;
  onRefined: () => void;
  /** It was approved or refused. */
  onDecided: () => void;
}

export function VersionView({
  projectId,
  version,
  newest,
  drafting,
  onNewest,
  onRefined,
  onDecided,
}: VersionViewProps) {
  const query = useQuery(planQuery(projectId, version));
  return (
    <QueryView query={query} what={`version ${version}`}>
      {(plan) => {
        const view = planInView(plan.content);
        const open = plan.state === 'draft' && version === newest && !drafting;
        return (
          <>
            {open && plan.content.questions.length > 0 && (
              <Questions key={version} projectId={projectId} plan={plan} onRefined={onRefined} />
            )}
            <Panel title={`Plan, version ${version}`} testId="plan-version">
              <PlanSections plan={view} />
            </Panel>
            {plan.state === 'draft' && !drafting && (
              <>
                {version !== newest && (
                  <p className={classes.newer} role="status" data-testid="newer-version">
                    Version {newest} is newer.{' '}
                    <Anchor component="button" type="button" size="md" onClick={onNewest}>
                      Show version {newest}
                    </Anchor>
                  </p>
                )}
                <Approval key={version} projectId={projectId} version={version} plan={view} onDecided={onDecided} />
              </>
            )}
          </>
        );
      }}
    </QueryView>
  );
}
