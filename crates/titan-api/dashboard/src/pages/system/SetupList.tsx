// Which settings are there, by name and never by value, and what the missing ones are for.
import type { Setup } from '../../api/types';
import { Command } from '../../components/Command';
import { Status } from '../../components/Status';
import table from '../../components/Table.module.css';
import classes from './SystemPage.module.css';

export function SetupList({ setup }: { setup: Setup }) {
  return (
    <>
      <p className={classes.lead}>
        Settings are read from the environment when the server and the worker start. Set what you need, then restart
        both.
        {setup.default_provider === 'offline' &&
          ' Until a provider is set, answers come from the offline provider, made without a model.'}
      </p>
      <ul className={classes.rows}>
        {setup.items.map((item) => (
          <li key={item.variable} className={classes.row} data-testid="setup-row">
            <span className={classes.state}>
              <Status status={item.set ? 'healthy' : 'pending'} label={item.set ? 'Set' : 'Not set'} />
            </span>
            <Command text={item.variable} />
            <span className={table.muted}>{item.needed_for}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
