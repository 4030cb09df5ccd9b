// What a stage found: each kind has its own, and one that is not known is shown as it is.
import type { ReactNode } from 'react';
import type { OpsStage } from '../../../api/types';
import { CopyText } from '../../../components/CopyText';
import { listField, numberField, textField, textsField } from '../../../lib/fields';
import { plural } from '../../../lib/format';
import { shortCommit } from '../evidence';
import { Json } from '../Json';
import classes from '../Ops.module.css';
import { OutsideLink } from '../OutsideLink';
import { TestEvidence } from './TestEvidence';

export function Evidence({ stage: { name, evidence } }: { stage: OpsStage }) {
  switch (name) {
    case 'diff':
      return <DiffEvidence found={evidence} />;
    case 'patch':
      return (
        <Facts>
          <Commit what="Commit" value={textField(evidence, 'commit')} />
          <Fact what="Branch">{textField(evidence, 'branch')}</Fact>
          <Commit what="Tree" value={textField(evidence, 'tree')} />
        </Facts>
      );
    case 'test':
      return <TestEvidence found={evidence} />;
    case 'pull request':
      return (
        <Facts>
          <Fact what="Pull request">
            <OutsideLink href={textField(evidence, 'page')}>{numberField(evidence, 'number')}</OutsideLink>
          </Fact>
          <Commit what="Commit" value={textField(evidence, 'commit')} />
        </Facts>
      );
    case 'canary':
      return (
        <Facts>
          <Fact what="Verdict">{textField(evidence, 'phase')}</Fact>
          <Fact what="Why">{textField(evidence, 'reason')}</Fact>
          <Fact what="Let pass by">{textField(evidence, 'approved_by')}</Fact>
        </Facts>
      );
    case 'promote':
      return (
        <Facts>
          <Commit what="Merged as" value={textField(evidence, 'merged_as')} />
          <Commit what="Of" value={textField(evidence, 'commit')} />
          <Fact what="Runs on">{textField(evidence, 'target') ?? 'nothing: no target is set up'}</Fact>
        </Facts>
      );
    default:
      return <Json value={evidence} />;
  }
}

function DiffEvidence({ found }: { found: unknown }) {
  const reasons = textsField(found, 'reasons');
  const risk = textField(found, 'risk');
  return (
    <>
      <Facts>
        <Fact what="Files">{plural(listField(found, 'files').length, 'file')}</Fact>
        <Fact what="Risk">{risk !== null && [risk, ...reasons].join('; ')}</Fact>
        <Fact what="Belongs to">{textField(found, 'now_item')}</Fact>
        <Commit what={`On ${textField(found, 'base_branch') ?? 'commit'}`} value={textField(found, 'base')} />
        <Commit what="Tree" value={textField(found, 'tree')} />
      </Facts>
      {textsField(found, 'shifts').map((shift) => (
        <p key={shift} className={classes.reason}>
          {shift}
        </p>
      ))}
    </>
  );
}

export const Facts = ({ children }: { children: ReactNode }) => <dl className={classes.evidence}>{children}</dl>;

export function Fact({ what, children }: { what: string; children: ReactNode }) {
  if (children === null || children === undefined || children === false) return null;
  return (
    <div>
      <dt>{what}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Commit({ what, value }: { what: string; value: string | null }) {
  if (value === null) return null;
  return (
    <Fact what={what}>
      <CopyText value={value} label={`Copy: ${what}`} text={shortCommit(value)} />
    </Fact>
  );
}
