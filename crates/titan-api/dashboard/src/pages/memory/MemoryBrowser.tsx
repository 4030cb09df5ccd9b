// What runs are shown from earlier ones: by who sees it, or by what is looked for; to add, change, pin, forget, take along
// and erase.
import { Anchor, Button } from '@mantine/core';
import { IconDownload, IconEraser } from '@tabler/icons-react';
import { useState } from 'react';
import { memoryExportUrl } from '../../api/calls';
import type { Memory } from '../../api/types';
import { SearchBox } from '../../components/SearchBox';
import { useOffline } from '../../live/hooks';
import { AddMemory } from './AddMemory';
import { EditDialog } from './EditDialog';
import { EraseDialog } from './EraseDialog';
import { ForgetDialog } from './ForgetDialog';
import classes from './Memory.module.css';
import { MemoryGroups } from './MemoryGroups';
import { MemoryHits } from './MemoryHits';

interface MemoryBrowserProps {
  projectId: string;
  q: string;
  onSearch: (q: string) => void;
}

type Open = { dialog: 'edit' | 'forget'; memory: Memory } | { dialog: 'erase' } | null;

export function MemoryBrowser({ projectId, q, onSearch }: MemoryBrowserProps) {
  const [open, setOpen] = useState<Open>(null);
  const offline = useOffline();
  const close = () => setOpen(null);
  const row = {
    projectId,
    onEdit: (memory: Memory) => setOpen({ dialog: 'edit', memory }),
    onForget: (memory: Memory) => setOpen({ dialog: 'forget', memory }),
  };
  return (
    <div className={classes.browser}>
      <div className={classes.toolbar} role="toolbar" aria-label="Memory">
        <SearchBox what="the memory" q={q} onSearch={onSearch} />
        <span className={classes.spacer} />
        <Anchor href={memoryExportUrl(projectId)} download size="sm" className={classes.export ?? ''}>
          <IconDownload size={15} aria-hidden /> Export
        </Anchor>
        <Button
          size="compact-sm"
          variant="default"
          color="bad"
          leftSection={<IconEraser size={15} aria-hidden />}
          disabled={offline}
          onClick={() => setOpen({ dialog: 'erase' })}
        >
          Erase
        </Button>
      </div>
      <AddMemory projectId={projectId} />
      {q === '' ? <MemoryGroups {...row} /> : <MemoryHits q={q} onClear={() => onSearch('')} {...row} />}
      {open?.dialog === 'edit' && <EditDialog projectId={projectId} memory={open.memory} onClose={close} />}
      {open?.dialog === 'forget' && <ForgetDialog projectId={projectId} memory={open.memory} onClose={close} />}
      {open?.dialog === 'erase' && <EraseDialog projectId={projectId} onClose={close} />}
    </div>
  );
}
