// Where a message is written. Ctrl+Enter sends, Enter makes a new line; a failed send keeps the text and says why.
import { Button, Kbd, Textarea } from '@mantine/core';
import { IconSend2 } from '@tabler/icons-react';
import { type FormEvent, type KeyboardEvent, useEffect, useRef } from 'react';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useOffline } from '../../live/hooks';
import classes from './InputPage.module.css';
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

  return (
    <form onSubmit={onSubmit} className={classes.composer} aria-label="New message">
      {send.error && <ErrorPanel error={send.error} onRetry={offline ? undefined : send.submit} compact />}
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
          disabled={offline || tooLong || length === 0}
          aria-keyshortcuts="Control+Enter"
        >
          Send
        </Button>
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
