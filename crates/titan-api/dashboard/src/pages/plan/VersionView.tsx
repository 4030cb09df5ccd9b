// One version: what it says, its questions while it is the newest draft, and the approval.
import { useQuery } from '@tanstack/react-query';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { planQuery } from '../../data/queries';
import { Approval } from './Approval';
import { PlanSections } from './PlanSections';
import { Questions } from './Questions';
import { planInView } from './sections';

interface VersionViewProps {
  projectId: string;
  version: number;
  newest: number;
  /** The next one is on its way. */
  drafting: boolean;
}

export function VersionView({ projectId, version, newest, drafting }: VersionViewProps) {
  const query = useQuery(planQuery(projectId, version));
  return (
    <QueryView query={query} what={`version ${version}`}>
      {(plan) => {
        const view = planInView(plan.content);
        const open = plan.state === 'draft' && version === newest && !drafting;
        return (
          <>
            {open && plan.content.questions.length > 0 && <Questions projectId={projectId} plan={plan} />}
            <Panel title={`Plan, version ${version}`} testId="plan-version">
              <PlanSections plan={view} />
            </Panel>
            {plan.state === 'draft' && !drafting && <Approval projectId={projectId} version={version} plan={view} />}
          </>
        );
      }}
    </QueryView>
  );
}
