// From a wish to a charter: the wish, the draft while it is written, the newest version with its questions, and what was
// approved.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { PlanList } from '../../api/types';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { isDrafting, plansQuery, projectQuery } from '../../data/queries';
import { descriptionOf } from '../../lib/project';
import { CharterView } from './CharterView';
import { CompareView } from './CompareView';
import { DraftView } from './DraftView';
import { FailedDraft } from './FailedDraft';
import classes from './Plan.module.css';
import { Versions } from './Versions';
import { VersionView } from './VersionView';
import { WishForm } from './WishForm';

export function PlanPage() {
  const { projectId } = useParams({ from: '/projects/$projectId/plan' });
  const plans = useQuery(plansQuery(projectId));
  return (
    <div className={classes.page} data-testid="plan-page">
      <QueryView query={plans} what="the plan">
        {(list) => <Loaded key={projectId} projectId={projectId} list={list} />}
      </QueryView>
    </div>
  );
}

function Loaded({ projectId, list }: { projectId: string; list: PlanList }) {
  const search = useSearch({ from: '/projects/$projectId/plan' });
  const navigate = useNavigate({ from: '/projects/$projectId/plan' });
  const [wishing, setWishing] = useState(false);
  const newest = list.items[0];
  const shown = search.version ?? newest?.version;
  const drafting = list.draft !== null && isDrafting(list.draft);
  const failed = list.draft?.execution_status === 'failed' || list.draft?.execution_status === 'canceled';
  const approved = list.items.find((plan) => plan.state === 'approved')?.version ?? null;
  const charter = useRef<HTMLDivElement>(null);
  const approvedBefore = useRef(approved);
  // The button that approved it is gone, and the charter is at the top: that is where the eyes and the keys go on.
  useEffect(() => {
    if (approved === approvedBefore.current) return;
    approvedBefore.current = approved;
    charter.current?.focus({ preventScroll: true });
    charter.current?.scrollIntoView({ block: 'start' });
  }, [approved]);
  const page = useRef<HTMLDivElement>(null);
  const show = (version: number, against: number | null = null) =>
    void navigate({
      // The newest has no number in the address, so that the page goes on to the next one.
      search: {
        ...(version === newest?.version ? {} : { version }),
        ...(against === null ? {} : { against }),
      },
      replace: true,
      resetScroll: false,
    });
  // What was pressed goes away with the wish, the questions or the approval.
  const focus = () => page.current?.focus({ preventScroll: true });
  const goOn = () => {
    if (newest !== undefined) show(newest.version);
    focus();
  };
  return (
    <div className={classes.page} ref={page} tabIndex={-1}>
      {approved !== null && (
        <div ref={charter} tabIndex={-1} className={classes.charter}>
          <CharterView projectId={projectId} />
        </div>
      )}
      {list.draft !== null && drafting && <DraftView projectId={projectId} draft={list.draft} />}
      {list.draft !== null && failed && <FailedDraft projectId={projectId} draft={list.draft} />}
      {!drafting && (newest === undefined || wishing) && (
        <FirstWish
          projectId={projectId}
          wish={newest?.wish ?? null}
          onCancel={newest === undefined ? null : () => setWishing(false)}
          onOrdered={() => {
            setWishing(false);
            goOn();
          }}
        />
      )}
      {newest !== undefined && shown !== undefined && (
        <>
          <Versions
            items={list.items}
            shown={shown}
            against={search.against ?? null}
            onShow={(version) => show(version)}
            onCompare={(against) => show(shown, against)}
          />
          {search.against !== undefined && search.against !== shown ? (
            <CompareView projectId={projectId} from={search.against} to={shown} />
          ) : (
            <VersionView
              projectId={projectId}
              version={shown}
              newest={newest.version}
              drafting={drafting}
              onNewest={() => show(newest.version)}
              onRefined={goOn}
              onDecided={focus}
            />
          )}
          {!drafting && !wishing && (
            <div>
              <Button variant="default" onClick={() => setWishing(true)}>
                Change the wish
              </Button>
            </div>
          )}
        </>
      )}
    </div>
  );
}

interface FirstWishProps {
  projectId: string;
  /** That of the newest version. */
  wish: string | null;
  onCancel: (() => void) | null;
  onOrdered: () => void;
}

/** Begins with what the project says of itself. */
function FirstWish({ projectId, wish, onCancel, onOrdered }: FirstWishProps) {
  const project = useQuery(projectQuery(projectId));
  return (
    <Panel title="What do you want?" testId="wish">
      <QueryView query={project} what="the project">
        {(data) => (
          <WishForm
            projectId={projectId}
            initial={wish ?? descriptionOf(data)}
            {...(onCancel === null ? {} : { onCancel })}
            onOrdered={onOrdered}
          />
        )}
      </QueryView>
    </Panel>
  );
}
