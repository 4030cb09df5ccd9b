// Which settings are there, by name and never by value: one line for each provider, and the rest on demand.
import type { Setup } from '../../api/types';
import { Command } from '../../components/Command';
import { Status } from '../../components/Status';
import table from '../../components/Table.module.css';
import { plural } from '../../lib/format';
import classes from './SystemPage.module.css';
import { answersOffline, groupSetup } from './setupGroups';

export function SetupList({ setup }: { setup: Setup }) {
  const { providers, others } = groupSetup(setup);
  return (
    <>
      <p className={classes.lead}>
        Settings are read from the environment when the server and the worker start. Set what you need, then restart
        both. One provider is enough.
        {answersOffline(setup) && ' Until one is set, answers come from the offline provider, made without a model.'}
      </p>
      <ul className={classes.rows}>
        {providers.map(({ title, main, set }) => (
          <li key={main.variable} className={classes.row} data-testid="setup-row">
            <span className={classes.state}>
              <SetStatus set={set} />
            </span>
            <span className={classes.provider}>{title}</span>
            <Command text={main.variable} />
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <details className={classes.others}>
          <summary>{plural(others.length, 'more variable')}: servers of your own, the choice of models, memory</summary>
          <ul className={classes.rows}>
            {others.map((item) => (
              <li key={item.variable} className={classes.row} data-testid="setup-other">
                <span className={classes.state}>
                  <SetStatus set={item.set} />
                </span>
                <Command text={item.variable} />
                <span className={table.muted}>{item.needed_for}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

const SetStatus = ({ set }: { set: boolean }) => (
  <Status status={set ? 'healthy' : 'pending'} label={set ? 'Set' : 'Not set'} />
);
