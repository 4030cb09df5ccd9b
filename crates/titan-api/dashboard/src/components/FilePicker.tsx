// Chooses files by a button. The browser says nothing of a choice that is the same as the last one, so each choice is
// forgotten at once: a file that was mended, or could not be sent, may be chosen again.
import { FileButton } from '@mantine/core';
import { type ReactNode, useRef } from 'react';

interface FilePickerProps {
  onFiles: (files: File[]) => void;
  multiple?: boolean;
  accept?: string;
  disabled?: boolean;
  children: (props: { onClick: () => void }) => ReactNode;
}

export function FilePicker({ onFiles, multiple = false, accept, disabled = false, children }: FilePickerProps) {
  const forget = useRef<() => void>(null);
  const choose = (chosen: File | File[] | null) => {
    const files = chosen === null ? [] : [chosen].flat();
    forget.current?.();
    if (files.length > 0) onFiles(files);
  };
  return (
    <FileButton
      resetRef={forget}
      multiple={multiple}
      disabled={disabled}
      onChange={choose}
      {...(accept === undefined ? {} : { accept })}
    >
      {children}
    </FileButton>
  );
}
