// One turn: a message and its answer, in whatever state the answer is.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Attachment, Message, Task } from '../../api/types';
import { Age } from '../../components/Age';
import { Markdown } from '../../components/Markdown';
import { Status } from '../../components/Status';
import { taskQuery } from '../../data/queries';
import { SentFiles } from './FileChips';
import classes from './InputPage.module.css';
import { LiveAnswer } from './LiveAnswer';

interface TurnViewProps {
  projectId: string;
  turn: { user: Message | null; answers: Message[]; taskId: string | null };
  task: Task | null;
}

export function TurnView({ projectId, turn, task: listed }: TurnViewProps) {
  const waiting = turn.answers.length === 0 && turn.taskId !== null;
  // An unanswered message may be older than the tasks at hand.
  const own = useQuery({ ...taskQuery(turn.taskId ?? ''), enabled: waiting && listed === null });
  const task = listed ?? own.data ?? null;
  return (
    <li className={classes.turn} data-testid="turn" data-task={turn.taskId ?? undefined}>
      {turn.user && (
        <UserBubble text={turn.user.content} files={turn.user.attachments}>
          <Age at={turn.user.created_at} />
          <TurnStatus task={task} answered={turn.answers.length > 0} runId={turn.user.run_id} />
        </UserBubble>
      )}
      {turn.answers.map((answer) => (
        <AnswerBubble key={answer.id} message={answer} />
      ))}
      {turn.answers.length === 0 && task && <LiveAnswer projectId={projectId} task={task} />}
    </li>
  );
}

interface PendingTurnProps {
  projectId: string;
  text: string;
  files: readonly Attachment[];
  task: Task | null;
}

/** What was just sent, until the conversation itself contains it. */
export function PendingTurn({ projectId, text, files, task }: PendingTurnProps) {
  return (
    <li className={classes.turn} data-testid="turn" data-task={task?.id}>
      <UserBubble text={text} files={files}>
        {task ? <TurnStatus task={task} answered={false} runId={null} /> : 'Sending'}
      </UserBubble>
      {task && <LiveAnswer projectId={projectId} task={task} />}
    </li>
  );
}

interface UserBubbleProps {
  text: string;
  files: readonly Attachment[];
  children: React.ReactNode;
}

function UserBubble({ text, files, children }: UserBubbleProps) {
  return (
    <div className={classes.user} data-testid="user-message">
      <span className="sr-only">You wrote</span>
      <div className={classes.userText}>{text}</div>
      <SentFiles files={files} />
      <div className={classes.meta}>{children}</div>
    </div>
  );
}

function TurnStatus({ task, answered, runId }: { task: Task | null; answered: boolean; runId: string | null }) {
  const status = task?.execution_status ?? (answered ? 'completed' : null);
  const run = task?.latest_run?.id ?? runId;
  return (
    <>
      {status && <Status status={status} />}
      {run && (
        <Link to="/runs/$runId" params={{ runId: run }} className={classes.runLink}>
          Run
        </Link>
      )}
    </>
  );
}

function AnswerBubble({ message }: { message: Message }) {
  return (
    <div className={classes.answer} data-testid="assistant-message">
      <span className="sr-only">Titan answered</span>
      <Markdown text={message.content} />
      <div className={classes.meta}>
        {message.agent !== null && <span data-testid="answered-by">{message.agent}</span>}
        <Age at={message.created_at} />
      </div>
    </div>
  );
}
