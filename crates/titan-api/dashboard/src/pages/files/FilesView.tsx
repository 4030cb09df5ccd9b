// The files of a project: a tree, the file that was chosen beside it, and the history of one or of all.
import { Button, Switch, UnstyledButton } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { FileList } from '../../api/types';
import { Empty } from '../../components/Empty';
import { Loading } from '../../components/Loading';
import { LoadMore, type Pages } from '../../components/LoadMore';
import { QueryView } from '../../components/QueryView';
import { filesQuery } from '../../data/files';
import { formatBytes, plural } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { FilePane } from './FilePane';
import classes from './Files.module.css';
import { FileTree } from './FileTree';
import { useDraftedFiles } from './fileDrafts';
import { History } from './History';
import { NewFileDialog } from './NewFileDialog';
import { treeOf } from './tree';

interface FilesViewProps {
  projectId: string;
  selected: string | null;
  onSelect: (path: string | null) => void;
}

export function FilesView({ projectId, selected, onSelect }: FilesViewProps) {
  const query = useInfiniteQuery(filesQuery(projectId));
  const drafted = useDraftedFiles(projectId);
  const [adding, setAdding] = useState(false);
  const [history, setHistory] = useState(false);
  const offline = useOffline();
  const add = (
    <Button
      size="compact-sm"
      variant="default"
      leftSection={<IconPlus size={15} aria-hidden />}
      disabled={offline}
      onClick={() => setAdding(true)}
    >
      New file
    </Button>
  );
  return (
    <QueryView query={query} what="files">
      {({ pages }) => {
        // What stands above the list is as new as its first page.
        const [{ total, total_size } = { total: 0, total_size: 0 }] = pages;
        return (
          <>
            {total === 0 && drafted.size === 0 ? (
              <Empty title="No files yet" action={add}>
                What runs build for this project is kept here, with its history.
              </Empty>
            ) : (
              <>
                <div className={classes.toolbar} role="toolbar" aria-label="Files">
                  {add}
                  <Switch
                    size="sm"
                    label="History"
                    checked={history}
                    onChange={(event) => setHistory(event.currentTarget.checked)}
                  />
                  <span className={classes.spacer} />
                  <span className={`${classes.muted} tnum`}>
                    {plural(total, 'file')}, {formatBytes(total_size)}
                  </span>
                </div>
                <Split
                  projectId={projectId}
                  pages={pages}
                  query={query}
                  drafted={drafted}
                  selected={selected}
                  onSelect={onSelect}
                  history={history}
                />
              </>
            )}
            {adding && (
              <NewFileDialog
                projectId={projectId}
                onClose={() => setAdding(false)}
                onMade={(path) => {
                  setAdding(false);
                  onSelect(path);
                }}
              />
            )}
          </>
        );
      }}
    </QueryView>
  );
}

interface SplitProps extends FilesViewProps {
  pages: readonly FileList[];
  query: Pages;
  drafted: ReadonlySet<string>;
  history: boolean;
}

function Split({ projectId, pages, query, drafted, selected, onSelect, history }: SplitProps) {
  const files = useMemo(() => pages.flatMap((page) => page.items), [pages]);
  const tree = useMemo(() => treeOf(files), [files]);
  const file = files.find((entry) => entry.path === selected) ?? null;
  const unlisted = useMemo(() => {
    const listed = new Set(files.map(({ path }) => path));
    return [...drafted].filter((path) => !listed.has(path)).sort();
  }, [files, drafted]);
  const main = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  // One that an address names may stand further down than what was fetched.
  const looking = selected !== null && file === null && hasNextPage;
  useEffect(() => {
    if (looking && !isFetchingNextPage && !query.isFetchNextPageError) void fetchNextPage();
  }, [looking, isFetchingNextPage, fetchNextPage, query.isFetchNextPageError]);
  const gone = () => {
    onSelect(null);
    // What had the focus is gone with the file.
    main.current?.focus();
  };
  return (
    <div className={classes.split}>
      <nav aria-label="Files" className={classes.side}>
        <FileTree folder={tree} drafted={drafted} selected={selected} onSelect={onSelect} />
        <LoadMore query={query} />
        <Unlisted paths={unlisted} selected={selected} onSelect={onSelect} />
      </nav>
      <section className={classes.main} ref={main} tabIndex={-1} aria-label="What is chosen">
        {history ? (
          <History projectId={projectId} path={file?.path ?? null} />
        ) : selected === null ? (
          <Empty title="Choose a file">It is shown here.</Empty>
        ) : looking ? (
          <Loading what={selected} onRetry={() => void fetchNextPage()} />
        ) : (
          <FilePane key={selected} projectId={projectId} path={selected} file={file} onGone={gone} />
        )}
      </section>
    </div>
  );
}

interface UnlistedProps {
  paths: readonly string[];
  selected: string | null;
  onSelect: (path: string) => void;
}

/** What was being changed and is not among the files, because somebody deleted it: the way back to what was written. */
function Unlisted({ paths, selected, onSelect }: UnlistedProps) {
  if (paths.length === 0) return null;
  return (
    <ul className={classes.tree} aria-label="Not saved and not listed">
      {paths.map((path) => (
        <li key={path}>
          <UnstyledButton
            className={classes.file}
            data-active={path === selected || undefined}
            aria-current={path === selected || undefined}
            onClick={() => onSelect(path)}
          >
            <span className={classes.fileName}>{path}</span>
            <span className={classes.unsaved}>not saved</span>
          </UnstyledButton>
        </li>
      ))}
    </ul>
  );
}
