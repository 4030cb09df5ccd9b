// Approve or reject, with a comment if there is something to say. What was decided stays readable.
import { Button, Textarea } from '@mantine/core';
import { IconCheck, IconRefresh, IconX } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Decision, Output } from '../../api/types';
import { Age } from '../../components/Age';
import { useDecideOutput } from '../../data/actions';
import { useOffline } from '../../live/hooks';
import classes from './OutputPage.module.css';

const LONGEST_COMMENT = 4000;

interface DecisionFormProps {
  output: Output;
  asked: { decision: 'approve' | 'reject'; at: number } | null;
  onDecided?: ((output: Output) => void) | undefined;
}

export function DecisionForm({ output, asked, onDecided }: DecisionFormProps) {
  const decide = useDecideOutput();
  const offline = useOffline();
  const comment = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const { mutate, isPending } = decide;

  const act = useCallback(
    (decision: Decision) => {
      if (offline || isPending) return;
      mutate({ output, decision, comment: text }, { onSuccess: (decided) => onDecided?.(decided) });
    },
    [mutate, isPending, offline, output, text, onDecided],
  );

  // A rejection by key first asks for the reason; an approval by key acts at once.
  const handled = useRef(asked?.at ?? 0);
  useEffect(() => {
    if (asked === null || asked.at === handled.current) return;
    handled.current = asked.at;
    if (asked.decision === 'approve') act('approve');
    else comment.current?.focus();
  }, [asked, act]);

  if (output.review !== 'pending') {
    return (
      <div className={classes.decided} data-testid="decided">
        {output.review === 'approved' ? 'Approved' : 'Rejected'} {output.reviewed_at && <Age at={output.reviewed_at} />}
        {output.comment && <blockquote className={classes.comment}>{output.comment}</blockquote>}
      </div>
    );
  }
  return (
    <form
      className={classes.decision}
      aria-label={`Decision about ${output.name}`}
      onSubmit={(event) => event.preventDefault()}
    >
      <Textarea
        ref={comment}
        aria-label="Comment"
        placeholder="Comment, if there is something to say; a new run is shown it"
        autosize
        minRows={1}
        maxRows={6}
        maxLength={LONGEST_COMMENT}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        className={classes.decisionText ?? ''}
      />
      <Button
        color="good"
        leftSection={<IconCheck size={16} />}
        disabled={offline}
        loading={isPending}
        onClick={() => act('approve')}
        aria-keyshortcuts="a"
      >
        Approve
      </Button>
      <Button
        variant="default"
        leftSection={<IconX size={16} />}
        disabled={offline}
        loading={isPending}
        onClick={() => act('reject')}
        aria-keyshortcuts="r"
      >
        Reject
      </Button>
      <Button
        variant="default"
        leftSection={<IconRefresh size={16} />}
        disabled={offline}
        loading={isPending}
        onClick={() => act('again')}
      >
        Reject and run again
      </Button>
    </form>
  );
}
