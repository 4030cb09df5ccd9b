// The frame of every page: left bar, top bar, at most one banner, and the keys that work everywhere.
import { useDisclosure } from '@mantine/hooks';
import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { onDemand } from '../components/OnDemand';
import { useShortcuts } from '../lib/shortcuts';
import { readStored, writeStored } from '../lib/storage';
import { Banner } from './Banner';
import { NavBar } from './NavBar';
import classes from './Shell.module.css';
import { TopBar } from './TopBar';

const NARROW = 'titan.nav-narrow';
const MenuDrawer = onDemand(() => import('./MenuDrawer').then((file) => file.MenuDrawer));
const HelpDialog = onDemand(() => import('./HelpDialog').then((file) => file.HelpDialog));

export function Shell() {
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [narrow, setNarrow] = useState(() => readStored(NARROW) === 'yes');
  const [menuOpen, menu] = useDisclosure(false);
  const [helpOpen, help] = useDisclosure(false);

  const bindings = useMemo(
    () => ({
      'g p': () => void navigate({ to: '/projects' }),
      'g t': () => void navigate({ to: '/templates' }),
      'g q': () => void navigate({ to: '/queue' }),
      'g o': () => void navigate({ to: '/ops' }),
      'g s': () => void navigate({ to: '/system' }),
      '[': () => setNarrow((value) => !value),
      'Shift+?': help.open,
      '?': help.open,
    }),
    [navigate, help.open],
  );
  useShortcuts(bindings);
  useEffect(() => writeStored(NARROW, narrow ? 'yes' : null), [narrow]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes whenever the address changes
  useEffect(() => menu.close(), [path]);

  return (
    <div className={classes.shell} data-narrow={narrow}>
      <a href="#main" className={classes.skip}>
        Skip to content
      </a>
      <div className={classes.side}>
        <NavBar narrow={narrow} onToggle={() => setNarrow(!narrow)} />
      </div>
      <MenuDrawer opened={menuOpen} onClose={menu.close} />
      <div className={classes.page}>
        <TopBar onMenu={menu.open} onHelp={help.open} />
        <Banner />
        <main id="main" tabIndex={-1} className={classes.main}>
          <Outlet />
        </main>
      </div>
      <HelpDialog opened={helpOpen} onClose={help.close} />
    </div>
  );
}
