// The files of a project: a tree, the file that was chosen beside it, and the history of one or of all.
import { Button, Switch } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { FILES_SHOWN } from '../../api/calls';
import type { FileList } from '../../api/types';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import { filesQuery } from '../../data/files';
import { formatBytes, formatCount, plural } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { FilePane } from './FilePane';
import classes from './Files.module.css';
import { FileTree } from './FileTree';
import { History } from './History';
import { NewFileDialog } from './NewFileDialog';
import { treeOf } from './tree';

interface FilesViewProps {
  projectId: string;
  selected: string | null;
  onSelect: (path: string | null) => void;
}

export function FilesView({ projectId, selected, onSelect }: FilesViewProps) {
  const query = useQuery(filesQuery(projectId));
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
      {(list) => (
        <>
          {list.total === 0 ? (
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
                  {plural(list.total, 'file')}, {formatBytes(list.total_size)}
                </span>
              </div>
              <Split projectId={projectId} list={list} selected={selected} onSelect={onSelect} history={history} />
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
      )}
    </QueryView>
  );
}

function Split({
  projectId,
  list,
  selected,
  onSelect,
  history,
}: FilesViewProps & { list: FileList; history: boolean }) {
  const tree = useMemo(() => treeOf(list.items), [list.items]);
  const file = list.items.find((entry) => entry.path === selected);
  return (
    <div className={classes.split}>
      <nav aria-label="Files" className={classes.side}>
        <FileTree folder={tree} selected={selected} onSelect={onSelect} />
        {list.next_cursor !== null && (
          <p className={classes.muted}>Only the first {formatCount(FILES_SHOWN)} files are shown.</p>
        )}
      </nav>
      <div className={classes.main}>
        {history && <History projectId={projectId} path={file?.path ?? null} />}
        {!history && file && (
          <FilePane key={file.path} projectId={projectId} file={file} onGone={() => onSelect(null)} />
        )}
        {!history && !file && (
          <Empty title={selected === null ? 'Choose a file' : `There is no file ${selected}`}>
            {selected === null ? 'It is shown here.' : 'It was deleted or renamed since.'}
          </Empty>
        )}
      </div>
    </div>
  );
}
