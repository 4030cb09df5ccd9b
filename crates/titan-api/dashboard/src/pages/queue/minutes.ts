// The numbers behind the strip of the last minutes: how high each bar stands, and the same in words.
import type { QueueMinute } from '../../api/types';
import { plural } from '../../lib/format';

export interface Bar {
  minute: string;
  /** Heights in the strip's own units, stacked from the ground up. */
  completed: number;
  canceled: number;
  failed: number;
}

export interface Strip {
  bars: Bar[];
  completed: number;
  failed: number;
  canceled: number;
  /** The most that ended within one minute. */
  most: number;
}

/** However few they are beside the others, they can be seen. */
const LEAST = 1.5;

export function stripOf(minutes: QueueMinute[], height: number): Strip {
  const sum = (pick: (minute: QueueMinute) => number) => minutes.reduce((total, minute) => total + pick(minute), 0);
  const most = Math.max(0, ...minutes.map(total));
  return {
    bars: minutes.map((minute) => barOf(minute, most, height)),
    completed: sum((minute) => minute.completed),
    failed: sum((minute) => minute.failed),
    canceled: sum((minute) => minute.canceled),
    most,
  };
}

const total = ({ completed, failed, canceled }: QueueMinute): number => completed + failed + canceled;

function barOf({ minute, completed, canceled, failed }: QueueMinute, most: number, height: number): Bar {
  const heights = { completed, canceled, failed };
  const parts = ['completed', 'canceled', 'failed'] as const;
  for (const part of parts) {
    if (heights[part] > 0) heights[part] = Math.max(LEAST, (heights[part] / most) * height);
  }
  // What the small parts were given is taken from the largest, so that no bar outgrows the strip.
  const over = heights.completed + heights.canceled + heights.failed - height;
  if (over > 0) {
    const largest = parts.reduce((a, b) => (heights[b] > heights[a] ? b : a));
    heights[largest] -= over;
  }
  return { minute, ...heights };
}

export function stripInWords({ bars, completed, failed, canceled, most }: Strip): string {
  if (most === 0) return `No job ended in the last ${plural(bars.length, 'minute')}`;
  const parts = [`${completed.toLocaleString('en')} completed`, `${failed.toLocaleString('en')} failed`];
  if (canceled > 0) parts.push(`${canceled.toLocaleString('en')} canceled`);
  return `Last ${plural(bars.length, 'minute')}: ${parts.join(', ')}; at most ${most.toLocaleString('en')} in one minute`;
}
