// Turns bursts of change hints into few requests: keys are gathered for a moment, each key keeps the distance its hint
// asks for, and a key whose request is still under way waits for it, because that answer may be older than the hint and
// cancelling it for ever would starve the page.
import type { QueryClient } from '@tanstack/react-query';
import type { Stale } from './keys';

const GATHER_MS = 80;

export class Refetcher {
  private readonly stale = new Map<string, Stale>();
  private readonly asked = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: QueryClient) {}

  mark(list: Stale[]): void {
    for (const entry of list) {
      const name = JSON.stringify(entry.key);
      const known = this.stale.get(name);
      if (known === undefined || entry.apartMs < known.apartMs) this.stale.set(name, entry);
    }
    this.arm();
  }

  everything(): void {
    this.stale.clear();
    void this.client.invalidateQueries();
  }

  private arm(): void {
    if (this.stale.size === 0) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.flush(Date.now());
      this.arm();
    }, GATHER_MS);
  }

  private flush(now: number): void {
    for (const [name, { key, apartMs }] of [...this.stale]) {
      if (now - (this.asked.get(name) ?? 0) < apartMs) continue;
      if (this.client.isFetching({ queryKey: key }) > 0) continue;
      this.stale.delete(name);
      this.asked.set(name, now);
      void this.client.invalidateQueries({ queryKey: key });
    }
  }
}
