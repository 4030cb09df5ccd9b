// The events of one run, gathered once for all tabs that look at it: in order, without a double, from the first event.
// They come from a stream while one is allowed and stands, else from polling; both feed the same sequence.
import type { Heartbeat, RunEvent, RunEventPage } from '../api/types';
import { RUN_POLL_MS } from './protocol';
import { EventStream, type StreamMessage, type StreamState } from './stream';

const PAGE = 200;
/** More is kept for nobody: the run page reads older events page by page. */
const KEPT_EVENTS = 20_000;
const STREAM_FAILURES_BEFORE_POLLING = 3;
const TERMINAL = new Set(['run.completed', 'run.failed', 'run.canceled']);

export interface ChannelSink {
  events(events: RunEvent[]): void;
  heartbeat(heartbeat: Heartbeat): void;
  end(status: string): void;
  refused(status: number): void;
}

export interface ChannelDeps {
  fetch: typeof fetch;
  readPage: (runId: string, after: number, limit: number) => Promise<RunEventPage>;
}

export class RunChannel {
  readonly events: RunEvent[] = [];
  endStatus: string | null = null;
  private lastSeq = 0;
  private stream: EventStream | null = null;
  private pollTimer: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private polling = false;
  /** The turn of polling that goes on; an older one may still wait for an answer, and ends with it. */
  private turn = 0;
  private closed = false;

  constructor(
    readonly runId: string,
    private readonly sink: ChannelSink,
    private readonly deps: ChannelDeps,
  ) {}

  get streaming(): boolean {
    return this.stream !== null;
  }

  get done(): boolean {
    return this.endStatus !== null || this.closed;
  }

  openStream(): void {
    if (this.stream !== null || this.done) return;
    const options = {
      url: `/api/runs/${this.runId}/events`,
      fetch: this.deps.fetch,
      isFinal: isGone,
      onMessage: (message: StreamMessage) => this.onMessage(message),
      onState: (state: StreamState) => this.onState(state),
    };
    // Without an id the server starts at the first event.
    this.stream = new EventStream(this.lastSeq > 0 ? { ...options, lastEventId: String(this.lastSeq) } : options);
    this.stream.start();
  }

  startPolling(): void {
    if (this.polling || this.done) return;
    this.polling = true;
    this.turn += 1;
    void this.poll(this.turn);
  }

  stopPolling(): void {
    this.polling = false;
    clearTimeout(this.pollTimer);
    clearTimeout(this.patience);
    this.patience = undefined;
  }

  reconnectNow(): void {
    this.stream?.reconnectNow();
  }

  close(): void {
    this.closed = true;
    this.stopPolling();
    this.stream?.stop();
    this.stream = null;
  }

  private onMessage(message: StreamMessage): void {
    if (message.event === 'end') {
      this.finish(parse<{ status: string }>(message.data)?.status ?? 'completed');
      return;
    }
    if (message.event === 'heartbeat') {
      const heartbeat = parse<Heartbeat>(message.data);
      if (heartbeat) this.sink.heartbeat(heartbeat);
      return;
    }
    const event = message.event === 'run_event' ? parse<RunEvent>(message.data) : null;
    if (event) this.accept([event]);
  }

  private onState(state: StreamState): void {
    if (state.kind === 'open') this.stopPolling();
    // Who watches an answer being written should not wait for a connection that hangs.
    if (state.kind === 'connecting') this.patience ??= setTimeout(() => this.startPolling(), RUN_POLL_MS);
    if (state.kind === 'waiting' && (state.failures >= STREAM_FAILURES_BEFORE_POLLING || state.status === 503)) {
      this.startPolling();
    }
    if (state.kind === 'refused') {
      this.sink.refused(state.status);
      this.close();
    }
  }

  private async poll(turn: number): Promise<void> {
    const over = () => !this.polling || turn !== this.turn;
    while (!over()) {
      try {
        const page = await this.deps.readPage(this.runId, this.lastSeq, PAGE);
        if (over()) return;
        this.accept(page.items);
        const last = page.items.at(-1);
        if (last && TERMINAL.has(last.kind)) return this.finish(last.kind.slice('run.'.length));
        if (page.items.length >= PAGE) continue;
      } catch {
        // The next turn tries again; the connection pill tells whether the server answers at all.
      }
      await new Promise<void>((resolve) => {
        this.pollTimer = setTimeout(resolve, RUN_POLL_MS);
      });
    }
  }

  private accept(events: RunEvent[]): void {
    const fresh: RunEvent[] = [];
    for (const event of events) {
      if (event.seq <= this.lastSeq) continue;
      this.lastSeq = event.seq;
      fresh.push(event);
    }
    if (fresh.length === 0) return;
    this.events.push(...fresh);
    if (this.events.length > KEPT_EVENTS) this.events.splice(0, this.events.length - KEPT_EVENTS);
    this.sink.events(fresh);
  }

  private finish(status: string): void {
    if (this.done) return;
    this.endStatus = status;
    this.stopPolling();
    this.stream?.stop();
    this.stream = null;
    this.sink.end(status);
  }
}

/** Titan itself says that there is no such run; a proxy that answers 404 while the server starts says nothing of it. */
const isGone = ({ status, headers }: Response): boolean =>
  (status === 404 || status === 410) && (headers.get('content-type') ?? '').startsWith('application/problem+json');

function parse<T>(data: string): T | null {
  try {
    return JSON.parse(data) as T;
  } catch {
    return null;
  }
}
