// What one page knows about one running run: its events, the text streamed so far, the last sign of life. Changes are
// announced once per frame, not once per event.
import type { Heartbeat, RunEvent } from '../api/types';
import { DeltaAssembler } from './deltas';
import type { FromHub } from './protocol';

export interface RunSnapshot {
  events: readonly RunEvent[];
  text: string;
  attempt: number;
  heartbeat: Heartbeat | null;
  /** Milliseconds since the epoch of the last event or heartbeat that came in. */
  lastSignal: number | null;
  endStatus: string | null;
  refused: number | null;
}

export const EMPTY_SNAPSHOT: RunSnapshot = {
  events: [],
  text: '',
  attempt: 0,
  heartbeat: null,
  lastSignal: null,
  endStatus: null,
  refused: null,
};

export type Scheduler = (callback: () => void) => void;

export class RunFeed {
  private readonly assembler = new DeltaAssembler();
  private readonly listeners = new Set<() => void>();
  private events: RunEvent[] = [];
  private heartbeat: Heartbeat | null = null;
  private lastSignal: number | null = null;
  private endStatus: string | null = null;
  private refused: number | null = null;
  private current = EMPTY_SNAPSHOT;
  private scheduled = false;
  lastSeq = 0;

  constructor(
    readonly runId: string,
    private readonly schedule: Scheduler,
  ) {}

  snapshot = (): RunSnapshot => this.current;

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get watched(): boolean {
    return this.listeners.size > 0;
  }

  receive(message: FromHub): void {
    if (message.type === 'run-events') this.addEvents(message.events);
    else if (message.type === 'run-heartbeat') this.addHeartbeat(message.heartbeat);
    else if (message.type === 'run-end') this.endStatus = message.status;
    else if (message.type === 'run-refused') this.refused = message.status;
    else return;
    this.announce();
  }

  private addEvents(events: RunEvent[]): void {
    for (const event of events) {
      if (event.seq <= this.lastSeq) continue;
      this.lastSeq = event.seq;
      this.events.push(event);
      this.assembler.apply(event);
      this.lastSignal = Date.now();
    }
  }

  private addHeartbeat(heartbeat: Heartbeat): void {
    const latest = this.heartbeat;
    // A heartbeat of a killed attempt may be late.
    if (latest && latest.step === heartbeat.step && latest.attempt > heartbeat.attempt) return;
    this.heartbeat = heartbeat;
    this.lastSignal = Date.now();
  }

  private announce(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      const latest = this.assembler.latest();
      this.current = {
        events: this.events.slice(),
        text: latest?.text ?? '',
        attempt: latest?.attempt ?? 0,
        heartbeat: this.heartbeat,
        lastSignal: this.lastSignal,
        endStatus: this.endStatus,
        refused: this.refused,
      };
      for (const listener of this.listeners) listener();
    });
  }
}
