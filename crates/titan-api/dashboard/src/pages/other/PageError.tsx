// A page that broke while it was drawn, or whose code could not be fetched. The shell around it stays usable.
import { Button } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { Empty } from '../../components/Empty';

export function PageError({ error, reset }: ErrorComponentProps) {
  const message = error instanceof Error ? error.message : String(error);
  const missing = /could not be fetched|dynamically imported module|Importing a module script failed/i.test(message);
  return (
    <Empty
      page
      title={missing ? 'This page could not be fetched' : 'This page broke'}
      action={
        <Button variant="default" onClick={() => (missing ? window.location.reload() : reset())}>
          {missing ? 'Reload' : 'Try again'}
        </Button>
      }
    >
      {missing ? 'Titan may have been updated or is not reachable. Reloading fetches the current pages.' : message}
    </Empty>
  );
}
