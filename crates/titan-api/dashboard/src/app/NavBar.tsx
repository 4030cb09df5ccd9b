// The left bar: the places that exist, and the projects touched last.
import { ActionIcon, Tooltip } from '@mantine/core';
import {
  IconFolders,
  IconLayoutSidebarLeftCollapse,
  IconLayoutSidebarLeftExpand,
  IconRocket,
  IconServer2,
  IconStack2,
  IconTemplate,
} from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { projectsQuery } from '../data/queries';
import classes from './NavBar.module.css';

const SHOWN = 8;
const PLACES = [
  { to: '/templates', label: 'Templates', icon: IconTemplate },
  { to: '/queue', label: 'Queue', icon: IconStack2 },
  { to: '/ops', label: 'Ops', icon: IconRocket },
  { to: '/system', label: 'System', icon: IconServer2 },
] as const;

export function NavBar({ narrow, onToggle }: { narrow: boolean; onToggle?: () => void }) {
  const projects = useInfiniteQuery(projectsQuery());
  const { projectId } = useParams({ strict: false });
  const recent = projects.data?.pages.flatMap((page) => page.items).slice(0, SHOWN) ?? [];
  return (
    <nav aria-label="Main" className={classes.nav} data-narrow={narrow}>
      {onToggle && (
        <div className={classes.brand}>
          {!narrow && <span className={classes.name}>Titan</span>}
          <ActionIcon
            variant="subtle"
            color="gray"
            onClick={onToggle}
            aria-label={narrow ? 'Widen the menu' : 'Narrow the menu'}
            aria-keyshortcuts="["
          >
            {narrow ? <IconLayoutSidebarLeftExpand size={18} /> : <IconLayoutSidebarLeftCollapse size={18} />}
          </ActionIcon>
        </div>
      )}
      <ul className={classes.list}>
        <li>
          <Tooltip label="Projects" disabled={!narrow} position="right">
            <Link
              to="/projects"
              activeOptions={{ exact: true }}
              className={classes.link}
              activeProps={{ 'data-active': true }}
            >
              <IconFolders size={18} aria-hidden />
              <span className={narrow ? 'sr-only' : undefined}>Projects</span>
            </Link>
          </Tooltip>
          {!narrow && recent.length > 0 && (
            <ul className={classes.sub} aria-label="Recent projects">
              {recent.map((project) => (
                <li key={project.id}>
                  <Link
                    to="/projects/$projectId/progress"
                    params={{ projectId: project.id }}
                    className={classes.subLink}
                    data-active={project.id === projectId || undefined}
                  >
                    <span className={classes.dot} data-busy={project.stats.runs.running > 0} aria-hidden="true" />
                    <span className={classes.label}>{project.name}</span>
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </li>
        {PLACES.map((place) => (
          <li key={place.to}>
            <Tooltip label={place.label} disabled={!narrow} position="right">
              <Link
                to={place.to}
                className={classes.link}
                activeOptions={{ includeSearch: false }}
                activeProps={{ 'data-active': true }}
              >
                <place.icon size={18} aria-hidden />
                <span className={narrow ? 'sr-only' : undefined}>{place.label}</span>
              </Link>
            </Tooltip>
          </li>
        ))}
      </ul>
    </nav>
  );
}
