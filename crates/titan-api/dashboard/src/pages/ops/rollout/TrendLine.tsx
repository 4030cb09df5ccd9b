// The samples of a metric as two lines: the canary's is whole, the baseline's is dashed. The same is said in words, as its name.
import type { Point } from './analysis';
import classes from './Trend.module.css';
import { trendOf } from './trend';

const WIDTH = 120;
const HEIGHT = 24;
/** Room for the width of a line. */
const EDGE = 2;

export function TrendLine({ points }: { points: readonly Point[] }) {
  const trend = trendOf(points, WIDTH, HEIGHT);
  const size = { width: WIDTH + 2 * EDGE, height: HEIGHT + 2 * EDGE };
  return (
    <svg
      role="img"
      aria-label={trend.words}
      {...size}
      viewBox={`${-EDGE} ${-EDGE} ${size.width} ${size.height}`}
      className={classes.trend}
      data-testid="trend"
    >
      <title>{trend.words}</title>
      <polyline points={trend.baseline} className={classes.baseline} />
      <polyline points={trend.canary} className={classes.canary} />
    </svg>
  );
}
