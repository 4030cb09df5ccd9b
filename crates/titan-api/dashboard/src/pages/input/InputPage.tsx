// "Tell Titan something." Segments: the conversation with its composer, and what the project is told beside it, documents and
// contacts.
import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Fragment, lazy, Suspense, useEffect, useMemo, useRef } from 'react';
import { Empty } from '../../components/Empty';
import { Loading } from '../../components/Loading';
import { QueryView } from '../../components/QueryView';
import { ScrollBox } from '../../components/ScrollBox';
import { useCancelTask } from '../../data/actions';
import { messagesQuery, tasksQuery } from '../../data/queries';
import { AnswerAnnouncer } from './AnswerAnnouncer';
import { Composer } from './Composer';
import classes from './InputPage.module.css';
import { PendingTurn, TurnView } from './TurnView';
import { buildTurns, lastSummarised } from './thread';
import { useSend } from './useSend';
import { useStickToBottom } from './useStickToBottom';

const DocumentsView = lazy(() => import('../context/DocumentsView').then((page) => ({ default: page.DocumentsView })));
const ContactsView = lazy(() => import('../context/ContactsView').then((page) => ({ default: page.ContactsView })));

const SEGMENTS = [
  { value: 'conversation', label: 'Conversation' },
  { value: 'documents', label: 'Documents' },
  { value: 'contacts', label: 'Contacts' },
];

export function InputPage() {
  const { projectId } = useParams({ from: '/projects/$projectId/input' });
  const { segment, q = '' } = useSearch({ from: '/projects/$projectId/input' });
  const navigate = useNavigate({ from: '/projects/$projectId/input' });
  const show = (value: string) =>
    void navigate({ search: value === 'documents' || value === 'contacts' ? { segment: value } : {} });
  const onSearch = (words: string) =>
    void navigate({
      search: { ...(segment === undefined ? {} : { segment }), ...(words === '' ? {} : { q: words }) },
      replace: true,
      resetScroll: false,
    });
  const View = segment === 'contacts' ? ContactsView : DocumentsView;
  return (
    <div className={classes.frame}>
      <SegmentedControl
        className={classes.segments ?? ''}
        data={SEGMENTS}
        value={segment ?? 'conversation'}
        onChange={show}
        aria-label="What to show"
      />
      {segment === undefined ? (
        // Another project is another conversation: nothing typed or sent may leak from one to the other.
        <ConversationPage key={projectId} projectId={projectId} />
      ) : (
        <ScrollBox
          className={classes.context}
          label={segment === 'contacts' ? 'Contacts' : 'Documents'}
          testId="context"
        >
          <Suspense fallback={<Loading what={`the ${segment}`} />}>
            <View key={projectId} projectId={projectId} q={q} onSearch={onSearch} />
          </Suspense>
        </ScrollBox>
      )}
    </div>
  );
}

function ConversationPage({ projectId }: { projectId: string }) {
  const query = useInfiniteQuery(messagesQuery(projectId));
  const tasks = useQuery(tasksQuery(projectId));
  const send = useSend(projectId);
  const messages = useMemo(
    () => (query.data ? [...query.data.pages].reverse().flatMap((page) => page.items) : []),
    [query.data],
  );
  const turns = useMemo(() => buildTurns(messages), [messages]);
  const summarised = useMemo(() => lastSummarised(turns), [turns]);
  const taskById = useMemo(() => new Map(tasks.data?.items.map((task) => [task.id, task])), [tasks.data]);
  const pending =
    send.sent !== null && !turns.some((turn) => turn.taskId !== null && turn.taskId === send.sent?.task?.id)
      ? send.sent
      : null;
  const active = tasks.data?.items.find(
    (task) => task.type === 'chat' && (task.execution_status === 'queued' || task.execution_status === 'in_progress'),
  );
  useStopKey(projectId, active?.id ?? null);
  const { scroller, content, atBottom, toBottom, keepPlace } = useStickToBottom();

  // Who sends wants to see the answer, wherever the conversation was scrolled to.
  const sentKey = send.sent?.key ?? null;
  useEffect(() => {
    if (sentKey !== null) toBottom();
  }, [sentKey, toBottom]);

  const loadEarlier = () => {
    keepPlace();
    void query.fetchNextPage();
  };

  return (
    <div className={classes.page}>
      <ScrollBox className={classes.scroller} ref={scroller} label="Conversation" testId="conversation">
        <div ref={content} className={classes.thread}>
          {query.hasNextPage && (
            <Button variant="default" size="compact-sm" loading={query.isFetchingNextPage} onClick={loadEarlier}>
              Show earlier messages
            </Button>
          )}
          <QueryView query={query} what="the conversation">
            {() =>
              turns.length === 0 && pending === null ? (
                <Empty title="Nothing said yet">
                  Write what you need. Your message becomes a task, a worker answers it, and the run, its log and its
                  result appear in the other tabs.
                </Empty>
              ) : (
                <ol className={classes.turns}>
                  {turns.map((turn) => (
                    <Fragment key={turn.key}>
                      <TurnView projectId={projectId} turn={turn} task={taskById.get(turn.taskId ?? '') ?? null} />
                      {turn.key === summarised && (
                        <li className={classes.summarised} data-testid="summarised">
                          The messages above are shown to the model as a summary
                        </li>
                      )}
                    </Fragment>
                  ))}
                  {pending && (
                    <PendingTurn
                      projectId={projectId}
                      text={pending.text}
                      files={pending.files}
                      task={pending.task ? (taskById.get(pending.task.id) ?? pending.task) : null}
                    />
                  )}
                </ol>
              )
            }
          </QueryView>
        </div>
      </ScrollBox>
      {!atBottom && (
        <Button className={classes.jump ?? ''} size="compact-sm" variant="default" onClick={toBottom}>
          Jump to the newest
        </Button>
      )}
      <Composer projectId={projectId} send={send} answering={active !== undefined} />
      <AnswerAnnouncer messages={messages} />
    </div>
  );
}

/** Esc stops the answer that is being written, also while the cursor is in the composer. */
function useStopKey(projectId: string, taskId: string | null): void {
  const cancel = useCancelTask(projectId);
  const act = useRef(cancel.mutate);
  act.current = cancel.mutate;
  useEffect(() => {
    if (taskId === null) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
      if (document.querySelector('[role="dialog"], [role="menu"]') !== null) return;
      act.current(taskId);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [taskId]);
}
