// The top bar: menu button on narrow screens, connection, colour scheme, help.
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconHelp, IconMenu2 } from '@tabler/icons-react';
import { Breadcrumb } from './Breadcrumb';
import { ConnectionPill } from './ConnectionPill';
import { ThemeSwitch } from './ThemeSwitch';
import classes from './TopBar.module.css';

export function TopBar({ onMenu, onHelp }: { onMenu: () => void; onHelp: () => void }) {
  return (
    <header className={classes.bar}>
      <div className={classes.left}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          className={classes.menu ?? ''}
          onClick={onMenu}
          aria-label="Open the menu"
        >
          <IconMenu2 size={20} />
        </ActionIcon>
        <Breadcrumb />
      </div>
      <div className={classes.right}>
        <ConnectionPill />
        <ThemeSwitch />
        <Tooltip label="Help and keys (?)">
          <ActionIcon
            variant="subtle"
            color="gray"
            size={36}
            onClick={onHelp}
            aria-label="Help and keys"
            aria-keyshortcuts="?"
          >
            <IconHelp size={20} />
          </ActionIcon>
        </Tooltip>
      </div>
    </header>
  );
}
