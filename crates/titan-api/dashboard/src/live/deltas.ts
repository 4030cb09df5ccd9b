// Puts streamed text together. A delta names its step, attempt and offset (in Unicode scalar values), because a killed
// attempt leaves deltas behind that its successor writes again: only the newest attempt of a step counts, an overlap is
// cut, and a piece that arrives too early waits for the one before it.
import type { RunEvent } from '../api/types';
import { numberField, textField } from '../lib/fields';

export interface Delta {
  step: number;
  attempt: number;
  offset: number;
  text: string;
}

interface StepText {
  attempt: number;
  text: string;
  /** Length of `text` in Unicode scalar values, the unit of offsets. */
  length: number;
  early: Delta[];
}

export class DeltaAssembler {
  private readonly steps = new Map<number, StepText>();

  /** Returns true when the visible text changed. */
  apply(event: RunEvent): boolean {
    if (event.kind === 'delta') {
      const delta = readDelta(event);
      return delta !== null && this.add(delta);
    }
    if (event.kind === 'step.started' && event.step !== null) {
      return this.startAttempt(event.step, numberField(event.data, 'attempt') ?? 1);
    }
    return false;
  }

  add(delta: Delta): boolean {
    const cleared = this.startAttempt(delta.step, delta.attempt);
    const step = this.steps.get(delta.step);
    if (step === undefined || delta.attempt < step.attempt) return cleared;
    if (delta.offset > step.length) {
      step.early.push(delta);
      return cleared;
    }
    const changed = append(step, delta);
    while (changed && step.early.length > 0) {
      const fitting = step.early.filter((early) => early.offset <= step.length);
      if (fitting.length === 0) break;
      step.early = step.early.filter((early) => early.offset > step.length);
      for (const early of fitting.sort((a, b) => a.offset - b.offset)) append(step, early);
    }
    return changed || cleared;
  }

  text(step: number): string {
    return this.steps.get(step)?.text ?? '';
  }

  attempt(step: number): number {
    return this.steps.get(step)?.attempt ?? 0;
  }

  /** What a reader sees: the text of the last step that has any. */
  latest(): { step: number; attempt: number; text: string } | null {
    let latest: { step: number; attempt: number; text: string } | null = null;
    for (const [step, { attempt, text }] of this.steps) {
      if (text !== '' && (latest === null || step > latest.step)) latest = { step, attempt, text };
    }
    return latest;
  }

  private startAttempt(step: number, attempt: number): boolean {
    const known = this.steps.get(step);
    if (known !== undefined && known.attempt >= attempt) return false;
    this.steps.set(step, { attempt, text: '', length: 0, early: [] });
    return known !== undefined && known.text !== '';
  }
}

function append(step: StepText, delta: Delta): boolean {
  const scalars = Array.from(delta.text);
  const fresh = scalars.slice(step.length - delta.offset);
  if (fresh.length === 0) return false;
  step.text += fresh.join('');
  step.length += fresh.length;
  return true;
}

function readDelta(event: RunEvent): Delta | null {
  const attempt = numberField(event.data, 'attempt');
  const offset = numberField(event.data, 'offset');
  const step = numberField(event.data, 'step') ?? event.step;
  const text = textField(event.data, 'text');
  if (attempt === null || offset === null || step === null || text === null || offset < 0) return null;
  return { step, attempt, offset, text };
}
