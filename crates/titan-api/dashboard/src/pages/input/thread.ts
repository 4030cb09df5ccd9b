// Orders messages into turns: what somebody wrote, and the answer that belongs to the same task.
import type { Message } from '../../api/types';

export interface Turn {
  key: string;
  user: Message | null;
  answers: Message[];
  taskId: string | null;
}

export function buildTurns(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  const byTask = new Map<string, Turn>();
  for (const message of messages) {
    if (message.role === 'user') {
      const turn: Turn = { key: message.id, user: message, answers: [], taskId: message.task_id };
      turns.push(turn);
      if (message.task_id !== null) byTask.set(message.task_id, turn);
      continue;
    }
    const own = message.task_id === null ? undefined : byTask.get(message.task_id);
    if (own) own.answers.push(message);
    else turns.push({ key: message.id, user: null, answers: [message], taskId: message.task_id });
  }
  return turns;
}

/** The key of the last turn that a summary stands in for when a model is asked. */
export function lastSummarised(turns: readonly Turn[]): string | null {
  const covered = turns.filter((turn) => [turn.user, ...turn.answers].some((message) => message?.summarised));
  return covered.at(-1)?.key ?? null;
}
