// The way out of a wait for a budget: the dialog of that budget, filled with more than there is.
import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { BudgetPlace } from '../../api/calls';
import { spendingQuery } from '../../data/budgets';
import { notifyError } from '../../lib/notify';
import { useOffline } from '../../live/hooks';

const BudgetDialog = lazy(() => import('../budget/BudgetDialog'));

export function RaiseBudget({ place }: { place: BudgetPlace }) {
  const [open, dialog] = useDisclosure(false);
  const offline = useOffline();
  const query = useQuery({ ...spendingQuery(place), enabled: open });
  const raise = async () => {
    const { data, error } = await query.refetch();
    if (data) dialog.open();
    else notifyError('Budget', error);
  };
  return (
    <>
      <Button size="compact-sm" loading={query.isFetching && !open} disabled={offline} onClick={() => void raise()}>
        Raise the budget
      </Button>
      {open && query.data && (
        <Suspense fallback={null}>
          <BudgetDialog place={place} spending={query.data} raise={query.data.budget !== null} onClose={dialog.close} />
        </Suspense>
      )}
    </>
  );
}
