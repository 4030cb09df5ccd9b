// The commits of a project's files, and what each of them changed.
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Commit } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { Patch } from '../../components/Patch';
import { QueryView } from '../../components/QueryView';
import { commitQuery, commitsQuery } from '../../data/files';
import classes from './Files.module.css';

interface HistoryProps {
  projectId: string;
  /** Only what changed this file. */
  path: string | null;
}

export function History({ projectId, path }: HistoryProps) {
  const query = useInfiniteQuery(commitsQuery(projectId, path));
  const commits = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <QueryView query={query} what="the history">
      {() =>
        commits.length === 0 ? (
          <Empty title="Nothing was changed yet" />
        ) : (
          <>
            <ul className={classes.commits}>
              {commits.map((commit) => (
                <CommitRow key={commit.id} projectId={projectId} commit={commit} />
              ))}
            </ul>
            {query.hasNextPage && (
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Show more
              </Button>
            )}
          </>
        )
      }
    </QueryView>
  );
}

function CommitRow({ projectId, commit }: { projectId: string; commit: Commit }) {
  const [open, setOpen] = useState(false);
  return (
    <li data-testid="commit">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className={classes.commit}>
          <span className={classes.fileName}>{commit.title}</span>
          <span className={classes.muted}>
            {commit.author}, <Age at={commit.at} />
          </span>
          <span className={`${classes.muted} mono`}>{commit.id.slice(0, 8)}</span>
        </summary>
        {open && <Changes projectId={projectId} commit={commit.id} />}
      </details>
    </li>
  );
}

function Changes({ projectId, commit }: { projectId: string; commit: string }) {
  const query = useQuery(commitQuery(projectId, commit));
  return (
    <QueryView query={query} what="the changes">
      {(diff) => <Patch patch={diff.patch} truncated={diff.truncated} />}
    </QueryView>
  );
}
