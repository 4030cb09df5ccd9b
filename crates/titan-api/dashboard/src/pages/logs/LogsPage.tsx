// "What exactly happened?" All log lines of a project. Level and search stand in the address.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { LogView } from './LogView';

export function LogsPage() {
  const { projectId } = useParams({ from: '/projects/$projectId/logs' });
  const search = useSearch({ from: '/projects/$projectId/logs' });
  const navigate = useNavigate({ from: '/projects/$projectId/logs' });
  const scope = useMemo(() => ({ projectId }), [projectId]);
  const filter = useMemo(
    () => ({ level: search.level ?? 'debug', q: search.q ?? '' }) as const,
    [search.level, search.q],
  );
  return (
    <LogView
      key={projectId}
      scope={scope}
      filter={filter}
      onFilter={({ level, q }) =>
        void navigate({ search: { ...(level === 'debug' ? {} : { level }), ...(q ? { q } : {}) }, replace: true })
      }
      showRun
    />
  );
}
