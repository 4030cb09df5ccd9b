// "Does it earn?" Segments: what is offered and for how much, and who may buy it. Deals and revenue are not built yet.
import { SegmentedControl } from '@mantine/core';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import classes from '../../components/List.module.css';
import { LeadsView } from './LeadsView';
import { OffersView } from './OffersView';

const SEGMENTS = [
  { value: 'offer', label: 'Offer' },
  { value: 'leads', label: 'Leads' },
];

export function SalesPage() {
  const { projectId } = useParams({ from: '/projects/$projectId/sales' });
  const search = useSearch({ from: '/projects/$projectId/sales' });
  const navigate = useNavigate({ from: '/projects/$projectId/sales' });
  return (
    <div className={classes.page} data-testid="sales">
      <div className={classes.toolbar}>
        <SegmentedControl
          data={SEGMENTS}
          value={search.segment ?? 'offer'}
          onChange={(value) => void navigate({ search: value === 'leads' ? { segment: 'leads' } : {} })}
          aria-label="What to show"
        />
      </div>
      {search.segment === 'leads' ? (
        <LeadsView
          key={projectId}
          projectId={projectId}
          filter={{ stage: search.stage ?? 'all', q: search.q ?? '' }}
          onFilter={({ stage, q }) =>
            void navigate({
              search: { segment: 'leads', ...(stage === 'all' ? {} : { stage }), ...(q === '' ? {} : { q }) },
              replace: true,
              resetScroll: false,
            })
          }
        />
      ) : (
        <OffersView key={projectId} projectId={projectId} />
      )}
    </div>
  );
}
