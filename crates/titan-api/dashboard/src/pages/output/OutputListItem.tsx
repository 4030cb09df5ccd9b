// An output in the list.
import { UnstyledButton } from '@mantine/core';
import { IconCode, IconFile, IconFileText, IconLink, IconPhoto } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import type { Output } from '../../api/types';
import { Age } from '../../components/Age';
import { Status } from '../../components/Status';
import { formatBytes } from '../../lib/format';
import classes from './OutputPage.module.css';

const ICONS: Record<string, typeof IconFile> = {
  text: IconFileText,
  file: IconFile,
  code: IconCode,
  image: IconPhoto,
  link: IconLink,
};

interface OutputListItemProps {
  output: Output;
  selected: boolean;
  onSelect: () => void;
}

export function OutputListItem({ output, selected, onSelect }: OutputListItemProps) {
  const item = useRef<HTMLButtonElement>(null);
  const Icon = ICONS[output.kind] ?? IconFile;
  useEffect(() => {
    if (selected) item.current?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  return (
    <UnstyledButton
      ref={item}
      className={classes.item}
      data-active={selected}
      aria-current={selected ? 'true' : undefined}
      onClick={onSelect}
      data-testid="output-item"
      data-output={output.id}
    >
      <Icon size={18} aria-hidden className={classes.kind ?? ''} />
      <span className={classes.itemText}>
        <span className={classes.itemName}>{output.name}</span>
        <span className={classes.itemFacts}>
          <Status status={output.review === 'pending' ? 'review' : output.review} />
          <span>{formatBytes(output.size)}</span>
          <Age at={output.created_at} />
        </span>
      </span>
    </UnstyledButton>
  );
}
