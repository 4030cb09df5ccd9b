// "What was made?" Segments: outputs with preview and decision, and the memory of the project.
import { SegmentedControl } from '@mantine/core';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { MemoryBrowser } from '../memory/MemoryBrowser';
import classes from './OutputPage.module.css';
import { OutputsView } from './OutputsView';

const SEGMENTS = [
  { value: 'outputs', label: 'Outputs' },
  { value: 'memory', label: 'Memory' },
];

export function OutputPage() {
  const { projectId } = useParams({ from: '/projects/$projectId/output' });
  const search = useSearch({ from: '/projects/$projectId/output' });
  const navigate = useNavigate({ from: '/projects/$projectId/output' });
  const segment = search.segment ?? 'outputs';
  return (
    <div className={classes.page}>
      <SegmentedControl
        className={classes.segments ?? ''}
        data={SEGMENTS}
        value={segment}
        onChange={(value) => void navigate({ search: value === 'memory' ? { segment: 'memory' } : {} })}
        aria-label="What to show"
      />
      {segment === 'memory' ? (
        <MemoryBrowser
          projectId={projectId}
          q={search.q ?? ''}
          onSearch={(q) =>
            void navigate({
              search: { segment: 'memory', ...(q === '' ? {} : { q }) },
              replace: true,
              resetScroll: false,
            })
          }
        />
      ) : (
        <OutputsView
          projectId={projectId}
          review={search.review ?? 'all'}
          selected={search.output ?? null}
          onReview={(review) => void navigate({ search: review === 'all' ? {} : { review } })}
          onSelect={(output) => void navigate({ search: { ...search, output }, replace: true, resetScroll: false })}
        />
      )}
    </div>
  );
}
