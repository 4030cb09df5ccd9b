// What the tests found: the commands with their last lines, and the checks of the forge.
import { LogText } from '../../../components/ansi/LogText';
import { ScrollBox } from '../../../components/ScrollBox';
import { Status } from '../../../components/Status';
import table from '../../../components/Table.module.css';
import { textField } from '../../../lib/fields';
import { formatDuration } from '../../../lib/format';
import { type Check, type Command, checksOf, commandsOf } from '../evidence';
import classes from '../Ops.module.css';
import { OutsideLink } from '../OutsideLink';
import { Commit, Facts } from './Evidence';

export function TestEvidence({ found }: { found: unknown }) {
  const checks = checksOf(found);
  return (
    <>
      <Facts>
        <Commit what="Merged with" value={textField(found, 'base')} />
        <Commit what="Tree" value={textField(found, 'tree')} />
      </Facts>
      <ul className={classes.commands} aria-label="Commands">
        {commandsOf(found).map((command) => (
          <li key={command.command} data-testid="command">
            <CommandView command={command} />
          </li>
        ))}
      </ul>
      {checks === null ? (
        <p className={classes.muted}>Nobody asks for checks of the forge: TITAN_OPS_CHECKS is off.</p>
      ) : (
        <Checks checks={checks} />
      )}
    </>
  );
}

function CommandView({ command: { command, seconds, last } }: { command: Command }) {
  const line = (
    <>
      <code className="mono">{command}</code>{' '}
      {seconds !== null && <span className={classes.muted}>{formatDuration(seconds * 1000)}</span>}
    </>
  );
  if (last.length === 0) return <p className={classes.line}>{line}</p>;
  return (
    <details>
      <summary>{line}</summary>
      <ScrollBox label={`Last lines of ${command}`} className={classes.content}>
        <pre className="mono">
          <LogText text={last.join('\n')} />
        </pre>
      </ScrollBox>
    </details>
  );
}

const LOOKS: Record<string, { status: string; label: string }> = {
  passed: { status: 'completed', label: 'Passed' },
  failed: { status: 'failed', label: 'Failed' },
  pending: { status: 'running', label: 'Running' },
  neutral: { status: 'skipped', label: 'Neither yes nor no' },
};

function Checks({ checks }: { checks: Check[] }) {
  if (checks.length === 0) return <p className={classes.muted}>The forge has no checks for it.</p>;
  return (
    <ScrollBox className={table.tableBox} label="Checks of the forge">
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">State</th>
            <th scope="col">It says</th>
          </tr>
        </thead>
        <tbody>
          {checks.map((check) => (
            <tr key={check.name} data-testid="check-row">
              <td>
                <OutsideLink href={check.page}>{check.name}</OutsideLink>
              </td>
              <td>
                <Status {...(LOOKS[check.state] ?? { status: check.state })} />
              </td>
              <td>{check.summary}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
