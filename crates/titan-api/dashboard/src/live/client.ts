// The live layer as pages see it: the state of the connection, hints about changes, and a feed per watched run.
import type { ChangeHint } from '../api/types';
import { type Connection, type FromHub, PING_MS } from './protocol';
import { EMPTY_SNAPSHOT, RunFeed, type RunSnapshot, type Scheduler } from './runFeed';
import { openLocal, openShared, type Receive, type Transport } from './transport';

/**
 * A SharedWorker that answers so many pings with nothing has died; the page then keeps its own hub. They are counted because
 * a clock goes on while a machine sleeps, and the hub sleeps with it.
 */
const PINGS_UNANSWERED = 2;
const HIDDEN_PAUSE_MS = 20_000;

export interface LiveEvents {
  change(hint: ChangeHint): void;
  resync(): void;
}

/** No frame comes in a hidden tab, in a window behind others, or while the machine has no time to draw. */
const WITHOUT_FRAME_MS = 250;

/** With the next frame, or soon without one. */
export const nextFrame: Scheduler = (callback) => {
  const once = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    callback();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, WITHOUT_FRAME_MS);
};

export interface TransportFactory {
  shared(receive: Receive, onBroken: () => void): Transport | null;
  local(receive: Receive): Transport;
}

export class LiveClient {
  private transport: Transport | null = null;
  private connection: Connection = { kind: 'connecting' };
  private readonly connectionListeners = new Set<() => void>();
  private readonly feeds = new Map<string, RunFeed>();
  private unanswered = 0;
  /** The hub was told that this tab rests; a ping would wake it again. */
  private away = false;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly events: LiveEvents,
    private readonly factory: TransportFactory = { shared: openShared, local: openLocal },
    private readonly schedule: Scheduler = nextFrame,
  ) {}

  start(): void {
    if (this.transport !== null) return;
    this.open(this.factory.shared(this.receive, () => this.fallBack()) ?? this.factory.local(this.receive));
    this.pingTimer = setInterval(() => this.ping(), PING_MS);
    window.addEventListener('pagehide', this.leave);
    window.addEventListener('pageshow', this.comeBack);
    window.addEventListener('online', this.reconnectNow);
    document.addEventListener('visibilitychange', this.onVisibility);
  }

  stop(): void {
    clearInterval(this.pingTimer);
    window.removeEventListener('pagehide', this.leave);
    window.removeEventListener('pageshow', this.comeBack);
    window.removeEventListener('online', this.reconnectNow);
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.leave();
    this.transport?.close();
    this.transport = null;
  }

  getConnection = (): Connection => this.connection;

  onConnection = (listener: () => void): (() => void) => {
    this.connectionListeners.add(listener);
    return () => this.connectionListeners.delete(listener);
  };

  reconnectNow = (): void => this.transport?.send({ type: 'reconnect' });

  /** What is known of a run now, without beginning to follow it. */
  peek(runId: string): RunSnapshot {
    return this.feeds.get(runId)?.snapshot() ?? EMPTY_SNAPSHOT;
  }

  private feed(runId: string): RunFeed {
    let feed = this.feeds.get(runId);
    if (feed === undefined) {
      feed = new RunFeed(runId, this.schedule);
      this.feeds.set(runId, feed);
    }
    return feed;
  }

  watchRun(runId: string, listener: () => void): () => void {
    const feed = this.feed(runId);
    const first = !feed.watched;
    const unsubscribe = feed.subscribe(listener);
    if (first) this.transport?.send({ type: 'watch', runId, after: feed.lastSeq });
    return () => {
      unsubscribe();
      if (feed.watched) return;
      this.transport?.send({ type: 'unwatch', runId });
      this.feeds.delete(runId);
    };
  }

  private readonly receive: Receive = (message: FromHub) => {
    this.unanswered = 0;
    switch (message.type) {
      case 'connection':
        this.connection = message.connection;
        for (const listener of this.connectionListeners) listener();
        return;
      case 'change':
        return this.events.change(message.hint);
      case 'resync':
        return this.events.resync();
      case 'forgotten':
        this.hello();
        return this.events.resync();
      case 'run-events':
      case 'run-end':
      case 'run-refused':
        return this.feeds.get(message.runId)?.receive(message);
      case 'run-heartbeat':
        return this.feeds.get(message.heartbeat.run_id)?.receive(message);
    }
  };

  private open(transport: Transport): void {
    this.transport = transport;
    this.unanswered = 0;
    this.hello();
  }

  private hello(): void {
    this.away = false;
    this.transport?.send({ type: 'hello' });
    for (const feed of this.feeds.values()) {
      if (feed.watched) this.transport?.send({ type: 'watch', runId: feed.runId, after: feed.lastSeq });
    }
  }

  private fallBack(): void {
    if (this.transport === null || !this.transport.shared) return;
    this.transport.close();
    this.open(this.factory.local(this.receive));
    this.events.resync();
  }

  private ping(): void {
    if (this.away) return;
    if (document.visibilityState === 'visible' && this.unanswered >= PINGS_UNANSWERED) this.fallBack();
    this.unanswered += 1;
    this.transport?.send({ type: 'ping' });
  }

  private readonly leave = (): void => {
    this.away = true;
    this.transport?.send({ type: 'bye' });
  };

  private readonly comeBack = (event: PageTransitionEvent): void => {
    if (!event.persisted) return;
    this.hello();
    this.events.resync();
  };

  private readonly onVisibility = (): void => {
    clearTimeout(this.hiddenTimer);
    if (document.visibilityState === 'visible') {
      this.unanswered = 0;
      if (this.transport?.shared) this.transport.send({ type: 'ping' });
      else this.hello();
    } else if (this.transport?.shared === false) {
      this.hiddenTimer = setTimeout(this.leave, HIDDEN_PAUSE_MS);
    }
  };
}
