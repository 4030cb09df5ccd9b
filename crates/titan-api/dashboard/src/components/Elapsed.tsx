// A duration that grows while it lasts.
import { useNow } from '../lib/clock';
import { elapsed } from '../lib/format';

export function Elapsed({ from, to }: { from: string | null; to: string | null }) {
  const now = useNow();
  return <span className="tnum">{elapsed(from, to, now) ?? 'not started'}</span>;
}
