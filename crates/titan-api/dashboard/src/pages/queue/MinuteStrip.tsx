// What a queue got done in the last minutes, one bar each. The picture is decoration for those who see it: the same is said
// in words, as its name.
import type { QueueMinute } from '../../api/types';
import { formatClock } from '../../lib/format';
import classes from './MinuteStrip.module.css';
import { stripInWords, stripOf } from './minutes';

const HEIGHT = 26;
const BAR = 6;
const STEP = 8;

export function MinuteStrip({ minutes }: { minutes: QueueMinute[] }) {
  const strip = stripOf(minutes, HEIGHT);
  const words = stripInWords(strip);
  const width = Math.max(STEP, minutes.length * STEP);
  return (
    <div className={classes.box}>
      <svg
        role="img"
        aria-label={words}
        width={width}
        height={HEIGHT + 1}
        viewBox={`0 0 ${width} ${HEIGHT + 1}`}
        className={classes.strip}
        data-testid="minutes"
      >
        {strip.bars.map((bar, index) => {
          const x = index * STEP;
          const parts = [
            { look: classes.completed, height: bar.completed, below: 0 },
            { look: classes.canceled, height: bar.canceled, below: bar.completed },
            { look: classes.failed, height: bar.failed, below: bar.completed + bar.canceled },
          ];
          return (
            <g key={bar.minute}>
              <title>{formatClock(bar.minute).slice(0, 5)}</title>
              <rect x={x} y={HEIGHT} width={BAR} height={1} className={classes.ground} />
              {parts.map(({ look, height, below }) =>
                height === 0 ? null : (
                  <rect key={look} x={x} y={HEIGHT - below - height} width={BAR} height={height} className={look} />
                ),
              )}
            </g>
          );
        })}
      </svg>
      <span className="tnum">
        {strip.completed.toLocaleString('en')} done
        <span className={strip.failed > 0 ? classes.bad : classes.muted}>
          {strip.failed.toLocaleString('en')} failed
        </span>
      </span>
    </div>
  );
}
