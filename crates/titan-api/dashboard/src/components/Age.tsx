// A time as its age, exact on hover.

import { useNow } from '../lib/clock';
import { formatAge, formatExact } from '../lib/format';

export function Age({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={formatExact(at)} className="tnum">
      {formatAge(at, now)}
    </time>
  );
}
