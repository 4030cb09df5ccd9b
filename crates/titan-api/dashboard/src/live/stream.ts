// One server-sent event stream that heals itself. `fetch` is used instead of EventSource because the first request must
// carry Last-Event-ID and because a refusal decides what happens next.
// What the events mean is left to the hub.
import { createParser } from 'eventsource-parser';
import { backoffDelay } from './backoff';

/** The server sends a comment every 15 s; after this much silence the connection is taken for dead. */
export const SILENCE_MS = 40_000;
/** Until the first byte, which the server sends at once. */
export const CONNECT_TIMEOUT_MS = 20_000;

export interface StreamMessage {
  id: string | undefined;
  event: string;
  data: string;
}

export type StreamState =
  | { kind: 'connecting' }
  /** Bytes come through: a proxy that holds them back lets the head of an answer pass. */
  | { kind: 'open' }
  /** `failures` counts tries in a row that brought nothing. */
  | { kind: 'waiting'; failures: number; retryAt: number; status: number | null }
  /** The server refused in a way that trying again cannot change. */
  | { kind: 'refused'; status: number };

export interface StreamOptions {
  url: string;
  lastEventId?: string;
  /** Which refusals trying again cannot change; none without it. */
  isFinal?: (refusal: Response) => boolean;
  onMessage: (message: StreamMessage) => void;
  onState: (state: StreamState) => void;
  fetch?: typeof fetch;
  random?: () => number;
}

export class EventStream {
  private lastEventId: string | undefined;
  private failures = 0;
  private connection: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private running = false;

  constructor(private readonly options: StreamOptions) {
    this.lastEventId = options.lastEventId;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    void this.connect();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.retryTimer);
    this.connection?.abort();
    this.connection = null;
  }

  /** Skips the wait; does nothing while a connection stands. */
  reconnectNow(): void {
    if (!this.running || this.connection !== null) return;
    clearTimeout(this.retryTimer);
    void this.connect();
  }

  private async connect(): Promise<void> {
    const connection = new AbortController();
    this.connection = connection;
    this.options.onState({ kind: 'connecting' });
    let watchdog = setTimeout(() => connection.abort(), CONNECT_TIMEOUT_MS);
    let status: number | null = null;
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (this.lastEventId !== undefined) headers['Last-Event-ID'] = this.lastEventId;
      const send = this.options.fetch ?? fetch;
      const response = await send(this.options.url, { headers, cache: 'no-store', signal: connection.signal });
      status = response.status;
      if (!response.ok && this.options.isFinal?.(response)) {
        this.finish(connection);
        this.running = false;
        this.options.onState({ kind: 'refused', status });
        return;
      }
      if (response.ok && response.body !== null) {
        let opened = false;
        const parser = createParser({ onEvent: (event) => this.deliver(connection, event) });
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        for (;;) {
          const { done, value } = await reader.read();
          if (done || connection.signal.aborted) break;
          clearTimeout(watchdog);
          watchdog = setTimeout(() => connection.abort(), SILENCE_MS);
          this.failures = 0;
          if (!opened) this.options.onState({ kind: 'open' });
          opened = true;
          parser.feed(decoder.decode(value, { stream: true }));
        }
      }
    } catch {
      // Every broken connection ends the same way: wait, then try again.
    } finally {
      clearTimeout(watchdog);
      connection.abort();
    }
    if (this.connection !== connection) return;
    this.finish(connection);
    if (this.running) this.retry(status);
  }

  private deliver(
    connection: AbortController,
    event: { id?: string | undefined; event?: string | undefined; data: string },
  ) {
    // A message of a connection that was given up would come twice, once from here and once from its successor.
    if (this.connection !== connection) return;
    if (event.id !== undefined) this.lastEventId = event.id;
    this.options.onMessage({ id: event.id, event: event.event ?? 'message', data: event.data });
  }

  private finish(connection: AbortController): void {
    if (this.connection === connection) this.connection = null;
  }

  private retry(status: number | null): void {
    this.failures += 1;
    const delay = backoffDelay(this.failures, this.options.random);
    this.options.onState({ kind: 'waiting', failures: this.failures, retryAt: Date.now() + delay, status });
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.connect(), delay);
  }
}
