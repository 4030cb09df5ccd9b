// What was proposed, word for word, while nobody has put it to the code yet.
import { useQuery } from '@tanstack/react-query';
import type { Proposal, ProposedPatch } from '../../../api/types';
import { Panel } from '../../../components/Panel';
import { Patch } from '../../../components/Patch';
import { QueryView } from '../../../components/QueryView';
import { ScrollBox } from '../../../components/ScrollBox';
import { Visible } from '../../../components/Visible';
import { patchesQuery } from '../../../data/ops';
import { plural } from '../../../lib/format';
import ops from '../Ops.module.css';
import classes from './Diff.module.css';

export function ProposedPatches({ proposal }: { proposal: Proposal }) {
  const query = useQuery(patchesQuery(proposal.id));
  return (
    <Panel title="As it was proposed" flush testId="proposed">
      <p className={ops.notes}>
        What it changes is shown here once the first stage has put it to the code. These are the{' '}
        {plural(proposal.paths.length, 'patch', 'patches')} as they came.
      </p>
      <QueryView query={query} what="the patches">
        {({ items }) => (
          <ul className={ops.rows} aria-label="Patches">
            {items.map((patch) => (
              <li key={patch.path} className={classes.file} data-testid="proposed-patch">
                <ProposedFile patch={patch} />
              </li>
            ))}
          </ul>
        )}
      </QueryView>
    </Panel>
  );
}

function ProposedFile({ patch }: { patch: ProposedPatch }) {
  if (patch.delete)
    return (
      <p className={classes.fileRow}>
        <span className="mono">{patch.path}</span> <span className={ops.muted}>is deleted</span>
      </p>
    );
  const how = patch.diff ? 'by a diff' : patch.encoding === 'base64' ? 'as a whole, no text' : 'as a whole';
  return (
    <details>
      <summary className={classes.fileRow}>
        <span className="mono">{patch.path}</span> <span className={ops.muted}>{how}</span>
      </summary>
      {patch.diff ? (
        <Patch patch={patch.diff} label={`Diff of ${patch.path}`} />
      ) : (
        <ScrollBox label={`Content of ${patch.path}`} className={ops.content}>
          <pre className="mono">
            <Visible text={patch.content ?? ''} />
          </pre>
        </ScrollBox>
      )}
    </details>
  );
}
