// The questions of a version, one after the other: chosen, written, or left to the plan. What was answered can be changed
// until the next version is asked for.
import { Button, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { answerPlan, reiterate } from '../../api/calls';
import type { Plan, PlanAnswer, PlanQuestion } from '../../api/types';
import { ErrorPanel } from '../../components/ErrorPanel';
import { Panel } from '../../components/Panel';
import { keys } from '../../data/keys';
import { useRequestKey } from '../../lib/requestKey';
import { useOffline } from '../../live/hooks';
import classes from './Plan.module.css';

interface QuestionsProps {
  projectId: string;
  plan: Plan;
  onRefined: () => void;
}

export function Questions({ projectId, plan, onRefined }: QuestionsProps) {
  const client = useQueryClient();
  const offline = useOffline();
  const [changing, setChanging] = useState<string | null>(null);
  // What was pressed goes away with its question; the focus goes to the next one, or to what there is to do then.
  const [moved, setMoved] = useState(false);
  const refineButton = useRef<HTMLButtonElement>(null);
  const keyFor = useRequestKey();
  const refresh = () => client.invalidateQueries({ queryKey: keys.plans(projectId) });
  const answer = useMutation({
    mutationFn: (given: { question: string; answer: string | null }) =>
      answerPlan(projectId, plan.version, {
        question: given.question,
        answer: given.answer,
        decide_for_me: given.answer === null,
      }),
    onSuccess: async () => {
      await refresh();
      setChanging(null);
      setMoved(true);
    },
  });
  const refine = useMutation({
    mutationFn: () => reiterate({ projectId, wish: '' }, keyFor([plan.version, plan.answers])),
    onSuccess: async () => {
      await refresh();
      onRefined();
    },
  });
  const answerOf = (question: PlanQuestion) => plan.answers.find((given) => given.question === question.key);
  const current =
    plan.content.questions.find((question) => question.key === changing) ??
    plan.content.questions.find((question) => answerOf(question) === undefined);
  const answered = plan.content.questions.filter(
    (question) => answerOf(question) !== undefined && question !== current,
  );
  const asked = current?.key;
  useEffect(() => {
    if (moved && asked === undefined) refineButton.current?.focus();
  }, [moved, asked]);
  const busy = answer.isPending || refine.isPending;
  return (
    <Panel title={`Questions, ${plan.answers.length} of ${plan.content.questions.length} answered`} testId="questions">
      {answered.length > 0 && (
        <ul className={classes.answers}>
          {answered.map((question) => (
            <li key={question.key}>
              <span className={classes.muted}>{question.question}</span> {wordsOf(answerOf(question))}{' '}
              <Button
                size="compact-xs"
                variant="subtle"
                disabled={offline || busy}
                onClick={() => {
                  setMoved(true);
                  setChanging(question.key);
                }}
                aria-label={`Change the answer to: ${question.question}`}
              >
                Change
              </Button>
            </li>
          ))}
        </ul>
      )}
      {current && (
        <Question
          key={current.key}
          question={current}
          titles={current.blocks.map((key) => plan.content.tasks.find((task) => task.key === key)?.title ?? key)}
          given={answerOf(current)?.answer ?? ''}
          focused={moved}
          disabled={offline || busy}
          onAnswer={(text) => answer.mutate({ question: current.key, answer: text })}
        />
      )}
      {(answer.error ?? refine.error) && <ErrorPanel error={answer.error ?? refine.error} compact />}
      {plan.answers.length > 0 && (
        <Button
          ref={refineButton}
          disabled={offline || busy}
          loading={refine.isPending}
          onClick={() => refine.mutate()}
        >
          Refine the plan with {plan.answers.length === 1 ? 'this answer' : `these ${plan.answers.length} answers`}
        </Button>
      )}
    </Panel>
  );
}

const wordsOf = (answer: PlanAnswer | undefined): string => answer?.answer ?? 'Decide for me';

interface QuestionProps {
  question: PlanQuestion;
  /** Of the tasks that wait for the answer. */
  titles: string[];
  given: string;
  /** Whether somebody has just come here from another question. */
  focused: boolean;
  disabled: boolean;
  /** Null leaves it to the plan. */
  onAnswer: (text: string | null) => void;
}

function Question({ question, titles, given, focused, disabled, onAnswer }: QuestionProps) {
  const [text, setText] = useState(question.choices.includes(given) ? '' : given);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (focused) form.current?.focus();
  }, [focused]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== '' && !disabled) onAnswer(text.trim());
  };
  return (
    <form
      ref={form}
      tabIndex={-1}
      onSubmit={submit}
      className={classes.question}
      data-testid="question"
      aria-label={question.question}
    >
      <p className={classes.asked}>{question.question}</p>
      {titles.length > 0 && <p className={classes.muted}>It matters to: {titles.join(', ')}</p>}
      <div className={classes.choices}>
        {question.choices.map((choice) => (
          <Button
            key={choice}
            size="compact-md"
            variant={choice === given ? 'filled' : 'default'}
            disabled={disabled}
            onClick={() => onAnswer(choice)}
          >
            {choice}
          </Button>
        ))}
        <Button size="compact-md" variant="default" disabled={disabled} onClick={() => onAnswer(null)}>
          Decide for me
        </Button>
      </div>
      <Textarea
        label={question.choices.length > 0 ? 'Or in your own words' : 'Your answer'}
        autosize
        minRows={1}
        maxRows={8}
        maxLength={4000}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div>
        <Button type="submit" variant="default" disabled={disabled || text.trim() === ''}>
          Answer
        </Button>
      </div>
    </form>
  );
}
