// "What was made?" Segments: outputs with preview and decision, the project's files, and its memory.
import { SegmentedControl } from '@mantine/core';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { FilesView } from '../files/FilesView';
import { MemoryBrowser } from '../memory/MemoryBrowser';
import classes from './OutputPage.module.css';
import { OutputsView } from './OutputsView';

const SEGMENTS = [
  { value: 'outputs', label: 'Outputs' },
  { value: 'files', label: 'Files' },
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
        onChange={(value) =>
          void navigate({ search: value === 'memory' || value === 'files' ? { segment: value } : {} })
        }
        aria-label="What to show"
      />
      {segment === 'files' && (
        <FilesView
          projectId={projectId}
          selected={search.file ?? null}
          onSelect={(file) =>
            void navigate({
              search: { segment: 'files', ...(file === null ? {} : { file }) },
              replace: true,
              resetScroll: false,
            })
          }
        />
      )}
      {segment === 'memory' && (
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
      )}
      {segment === 'outputs' && (
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
