// The files of a project in their folders, which open and close.
import { UnstyledButton } from '@mantine/core';
import { IconFile, IconFolder } from '@tabler/icons-react';
import { formatBytes } from '../../lib/format';
import classes from './Files.module.css';
import { type Folder, nameOf } from './tree';

interface FileTreeProps {
  folder: Folder;
  /** The files that are being changed and are not saved. */
  drafted: ReadonlySet<string>;
  selected: string | null;
  onSelect: (path: string) => void;
}

export function FileTree({ folder, drafted, selected, onSelect }: FileTreeProps) {
  return (
    <ul className={classes.tree}>
      {folder.folders.map((inner) => (
        <li key={inner.path}>
          <details open>
            <summary className={classes.folder}>
              <IconFolder size={15} aria-hidden /> {inner.name}
            </summary>
            <FileTree folder={inner} drafted={drafted} selected={selected} onSelect={onSelect} />
          </details>
        </li>
      ))}
      {folder.files.map((file) => (
        <li key={file.path}>
          <UnstyledButton
            className={classes.file}
            data-active={file.path === selected || undefined}
            aria-current={file.path === selected || undefined}
            onClick={() => onSelect(file.path)}
          >
            <IconFile size={15} aria-hidden />
            <span className={classes.fileName}>{nameOf(file.path)}</span>
            {drafted.has(file.path) && <span className={classes.unsaved}>not saved</span>}
            <span className={`${classes.muted} tnum`}>{formatBytes(file.size)}</span>
          </UnstyledButton>
        </li>
      ))}
    </ul>
  );
}
