// Turns bursts of change hints into few requests: keys are gathered for a moment, and a key whose request is still under
// way waits for it, because that answer may be older than the hint and cancelling it for ever would starve the page.
import type { QueryClient, QueryKey } from '@tanstack/react-query';

const GATHER_MS = 80;
/** While hints keep coming, the page asks at most this often. */
const APART_MS = 300;

export class Refetcher {
  private readonly stale = new Map<string, QueryKey>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastFlush = 0;

  constructor(private readonly client: QueryClient) {}

  mark(queryKeys: QueryKey[]): void {
    for (const key of queryKeys) this.stale.set(JSON.stringify(key), key);
    if (this.stale.size > 0) this.arm();
  }

  everything(): void {
    this.stale.clear();
    void this.client.invalidateQueries();
  }

  private arm(): void {
    const delay = Math.max(GATHER_MS, APART_MS - (Date.now() - this.lastFlush));
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.lastFlush = Date.now();
      this.flush();
    }, delay);
  }

  private flush(): void {
    for (const [name, queryKey] of [...this.stale]) {
      if (this.client.isFetching({ queryKey }) > 0) continue;
      this.stale.delete(name);
      void this.client.invalidateQueries({ queryKey });
    }
    if (this.stale.size > 0) this.arm();
  }
}
