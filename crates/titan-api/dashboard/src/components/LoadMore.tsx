// The end of a list of which there is more.
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './LoadMore.module.css';

export interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  fetchNextPage: () => unknown;
}

export function LoadMore({ query, children }: { query: Pages; children?: ReactNode }) {
  if (!query.hasNextPage) return null;
  return (
    <div className={classes.more}>
      <Button
        variant="default"
        size="compact-md"
        loading={query.isFetchingNextPage}
        onClick={() => void query.fetchNextPage()}
      >
        Load more
      </Button>
      {children}
    </div>
  );
}
