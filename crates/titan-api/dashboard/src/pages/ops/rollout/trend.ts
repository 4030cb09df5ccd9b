// A small picture of a metric's samples: both sides on one scale, oldest left.
import { plural } from '../../../lib/format';
import { type Point, shortNumber } from './analysis';

/** More would be drawn closer than one can see. */
const MOST = 60;

export interface Trend {
  /** Points as `polyline` wants them; empty where there is no data. */
  baseline: string;
  canary: string;
  words: string;
}

export function trendOf(points: readonly Point[], width: number, height: number): Trend {
  const shown = points.slice(-MOST);
  const values = shown.flatMap(({ baseline, canary }) => [baseline, canary]).filter((value) => value !== null);
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const step = width / Math.max(1, shown.length - 1);
  const line = (side: keyof Point) =>
    shown
      .map((point, index) => ({ x: index * step, value: point[side] }))
      .filter((at): at is { x: number; value: number } => at.value !== null)
      // What never moves is drawn in the middle.
      .map(({ x, value }) => `${round(x)},${round(height - (span === 0 ? 0.5 : (value - low) / span) * height)}`)
      .join(' ');
  return { baseline: line('baseline'), canary: line('canary'), words: inWords(shown) };
}

const round = (value: number): number => Math.round(value * 10) / 10;

function inWords(points: readonly Point[]): string {
  const side = (name: keyof Point) => {
    const values = points.map((point) => point[name]).filter((value) => value !== null);
    const [first] = values;
    const last = values.at(-1);
    if (first === undefined || last === undefined) return `${name} without data`;
    return `${name} from ${shortNumber(first)} to ${shortNumber(last)}`;
  };
  return `${plural(points.length, 'sample')}: ${side('canary')}, ${side('baseline')}`;
}
