// Where a message is written. Ctrl+Enter sends, Enter makes a new line; a failed send keeps the text and says why. Files come
// by button, by dropping them and with what is pasted.
import { Button, Kbd, Textarea } from '@mantine/core';
import { IconPaperclip, IconSend2 } from '@tabler/icons-react';
import { type ClipboardEvent, type DragEvent, type FormEvent, type KeyboardEvent, useEffect, useRef } from 'react';
import { ErrorPanel } from '../../components/ErrorPanel';
import { FilePicker } from '../../components/FilePicker';
import { LIMITS } from '../../lib/files';
import { useOffline } from '../../live/hooks';
import { DraftFiles } from './FileChips';
import classes from './InputPage.module.css';
import { AgentPicker, ModelPicker } from './Pickers';
import type { Send } from './useSend';

const LONGEST = 100_000;

interface ComposerProps {
  projectId: string;
  send: Send;
  answering: boolean;
}

export function Composer({ send, answering }: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const offline = useOffline();
  const length = send.draft.text.trim().length;
  const tooLong = length > LONGEST;

  // On a phone the keyboard would cover the conversation.
  useEffect(() => {
    if (window.matchMedia?.('(pointer: fine)').matches) field.current?.focus();
  }, []);

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (!offline && !tooLong) send.submit();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.nativeEvent.isComposing) onSubmit(event);
  };

  const add = (files: Iterable<File> | null) => {
    if (!offline && !send.busy && files !== null) send.attachments.add([...files]);
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    add(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    add(event.dataTransfer.files);
  };

  return (
    <form
      onSubmit={onSubmit}
      onDragOver={(event) => event.preventDefault()}
      onDrop={onDrop}
      className={classes.composer}
      aria-label="New message"
    >
      {send.error && <ErrorPanel error={send.error} onRetry={offline ? undefined : send.submit} compact />}
      <DraftFiles files={send.draft.files} attachments={send.attachments} onRemove={send.removeFile} />
      <div className={classes.composerRow}>
        <Textarea
          ref={field}
          className={classes.field ?? ''}
          aria-label="Message"
          placeholder="Write a message"
          autosize
          minRows={2}
          maxRows={10}
          value={send.draft.text}
          onChange={(event) => send.setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          readOnly={send.busy}
          error={
            tooLong
              ? `${length.toLocaleString('en')} characters; at most ${LONGEST.toLocaleString('en')} are possible.`
              : undefined
          }
          data-testid="composer"
        />
        <Button
          type="submit"
          leftSection={<IconSend2 size={16} />}
          loading={send.busy}
          disabled={offline || tooLong || length === 0 || send.attachments.sending.length > 0}
          aria-keyshortcuts="Control+Enter"
        >
          Send
        </Button>
      </div>
      <div className={classes.choices}>
        <FilePicker onFiles={add} multiple>
          {(props) => (
            <Button
              {...props}
              size="xs"
              variant="default"
              leftSection={<IconPaperclip size={14} />}
              disabled={offline || send.busy}
              title={LIMITS}
              aria-describedby="file-limits"
            >
              Attach
            </Button>
          )}
        </FilePicker>
        <AgentPicker choices={send.choices} disabled={send.busy} />
        <ModelPicker choices={send.choices} disabled={send.busy} />
        <span id="file-limits" className={classes.limits}>
          {LIMITS}
        </span>
      </div>
      <p className={classes.keys}>
        {offline ? (
          'Titan cannot be reached now. Your text is kept.'
        ) : (
          <>
            <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd> sends
            {answering && (
              <>
                , <Kbd size="xs">Esc</Kbd> stops the answer
              </>
            )}
          </>
        )}
      </p>
    </form>
  );
}
