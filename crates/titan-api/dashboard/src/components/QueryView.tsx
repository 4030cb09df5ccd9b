// The states every view must have, in one place: loading, error, and data that stays while newer data cannot be fetched.
import type { ReactNode } from 'react';
import { ErrorPanel } from './ErrorPanel';
import { Loading } from './Loading';

interface QueryLike<T> {
  data: T | undefined;
  error: Error | null;
  isPending: boolean;
  refetch: () => unknown;
}

interface QueryViewProps<T> {
  query: QueryLike<T>;
  /** Completes "Loading ..." and "Still loading ...". */
  what: string;
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

export function QueryView<T>({ query, what, skeleton, children }: QueryViewProps<T>) {
  const retry = () => void query.refetch();
  if (query.data !== undefined) {
    return (
      <>
        {query.error && <ErrorPanel error={query.error} onRetry={retry} compact />}
        {children(query.data)}
      </>
    );
  }
  if (query.error) return <ErrorPanel error={query.error} onRetry={retry} />;
  return <Loading what={what} onRetry={retry} skeleton={skeleton} />;
}
