// Owns every stream for all tabs. Browsers allow six connections per host on HTTP/1.1, for all tabs together, so there is
// one stream of change hints and at most three run streams; further runs are polled. The hub runs in a SharedWorker, or
// in the page itself where there is none, and knows nothing about either: a tab is something that takes messages.
import type { ChangeHint } from '../api/types';
import {
  CHANGE_POLL_MS,
  type Connection,
  type FromHub,
  MAX_RUN_STREAMS,
  PORT_SILENCE_MS,
  type ToHub,
} from './protocol';
import { type ChannelDeps, type ChannelSink, RunChannel } from './runChannel';
import { EventStream, type StreamMessage, type StreamState } from './stream';

const FAILURES_BEFORE_POLLING = 3;

export interface HubDeps extends ChannelDeps {
  /** Whether the server answers an ordinary request. */
  probe: () => Promise<boolean>;
}

export interface HubPort {
  post(message: FromHub): void;
}

interface Watched {
  channel: RunChannel;
  ports: Set<HubPort>;
}

export class Hub {
  private readonly ports = new Map<HubPort, number>();
  private readonly runs = new Map<string, Watched>();
  private changes: EventStream | null = null;
  private connection: Connection = { kind: 'connecting' };
  private wasLive = false;
  private offlineSince: number | null = null;
  private pollTimer: ReturnType<typeof setInterval> | undefined;
  private sweepTimer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly deps: HubDeps) {}

  receive(port: HubPort, message: ToHub): void {
    if (message.type === 'bye') {
      this.detach(port);
      return;
    }
    const known = this.ports.has(port);
    this.ports.set(port, Date.now());
    if (!known) this.attached(port);
    if (message.type === 'ping') port.post({ type: known ? 'pong' : 'forgotten' });
    if (message.type === 'reconnect') this.reconnectNow();
    if (message.type === 'watch') this.watch(port, message.runId, message.after);
    if (message.type === 'unwatch') this.unwatch(port, message.runId);
  }

  private attached(port: HubPort): void {
    port.post({ type: 'connection', connection: this.connection });
    if (this.changes !== null) return;
    this.changes = new EventStream({
      url: '/api/events',
      fetch: this.deps.fetch,
      onMessage: (message) => this.onChange(message),
      onState: (state) => void this.onState(state),
    });
    this.changes.start();
    this.sweepTimer = setInterval(() => this.sweep(), PORT_SILENCE_MS / 3);
  }

  detach(port: HubPort): void {
    if (!this.ports.delete(port)) return;
    for (const runId of [...this.runs.keys()]) this.unwatch(port, runId);
    if (this.ports.size > 0) return;
    this.changes?.stop();
    this.changes = null;
    this.wasLive = false;
    this.connection = { kind: 'connecting' };
    this.stopPolling();
    clearInterval(this.sweepTimer);
  }

  private sweep(): void {
    const oldest = Date.now() - PORT_SILENCE_MS;
    for (const [port, seen] of [...this.ports]) if (seen < oldest) this.detach(port);
  }

  private reconnectNow(): void {
    this.changes?.reconnectNow();
    for (const { channel } of this.runs.values()) channel.reconnectNow();
  }

  // Change hints -----------------------------------------------------------------------------------------------------

  private onChange(message: StreamMessage): void {
    const hint = message.event === 'change' ? parseHint(message.data) : null;
    if (hint !== null) this.broadcast({ type: 'change', hint });
    // A hint that cannot be read says at least that something changed.
    else if (message.event === 'change' || message.event === 'resync') this.broadcast({ type: 'resync' });
  }

  private async onState(state: StreamState): Promise<void> {
    if (state.kind === 'open') {
      this.stopPolling();
      this.offlineSince = null;
      this.report({ kind: 'live' });
      // There is no history of hints: whatever changed while the stream was away has to be fetched.
      if (this.wasLive) this.broadcast({ type: 'resync' });
      this.wasLive = true;
    }
    if (state.kind !== 'waiting') return;
    this.wasLive = true;
    const retryAt = state.retryAt;
    if (this.connection.kind === 'offline') this.report({ ...this.connection, retryAt });
    else if (this.connection.kind !== 'polling') this.report({ kind: 'reconnecting', retryAt });
    const answers = await this.deps.probe();
    // The stream may have moved on while the probe was under way.
    if (this.connection.kind === 'live' || this.changes === null) return;
    if (!answers) {
      this.stopPolling();
      this.offlineSince ??= Date.now();
      this.report({ kind: 'offline', since: this.offlineSince, retryAt });
    } else if (state.failures >= FAILURES_BEFORE_POLLING || state.status === 503) {
      this.offlineSince = null;
      this.report({ kind: 'polling' });
      this.startPolling();
    } else {
      this.offlineSince = null;
      this.report({ kind: 'reconnecting', retryAt });
    }
  }

  private startPolling(): void {
    if (this.pollTimer !== undefined) return;
    this.broadcast({ type: 'resync' });
    this.pollTimer = setInterval(() => this.broadcast({ type: 'resync' }), CHANGE_POLL_MS);
  }

  private stopPolling(): void {
    clearInterval(this.pollTimer);
    this.pollTimer = undefined;
  }

  private report(connection: Connection): void {
    this.connection = connection;
    this.broadcast({ type: 'connection', connection });
  }

  private broadcast(message: FromHub): void {
    for (const port of this.ports.keys()) port.post(message);
  }

  // Runs -------------------------------------------------------------------------------------------------------------

  private watch(port: HubPort, runId: string, after: number): void {
    let watched = this.runs.get(runId);
    if (watched === undefined) {
      watched = this.openChannel(runId);
      this.runs.set(runId, watched);
    }
    watched.ports.add(port);
    const missed = watched.channel.events.filter((event) => event.seq > after);
    if (missed.length > 0) port.post({ type: 'run-events', runId, events: missed });
    if (watched.channel.endStatus !== null) port.post({ type: 'run-end', runId, status: watched.channel.endStatus });
    this.assignStreams();
  }

  private openChannel(runId: string): Watched {
    const ports = new Set<HubPort>();
    const send = (message: FromHub) => {
      for (const port of ports) port.post(message);
    };
    const sink: ChannelSink = {
      events: (events) => send({ type: 'run-events', runId, events }),
      heartbeat: (heartbeat) => send({ type: 'run-heartbeat', heartbeat }),
      end: (status) => {
        send({ type: 'run-end', runId, status });
        this.assignStreams();
      },
      refused: (status) => {
        send({ type: 'run-refused', runId, status });
        this.runs.delete(runId);
        this.assignStreams();
      },
    };
    return { channel: new RunChannel(runId, sink, this.deps), ports };
  }

  private unwatch(port: HubPort, runId: string): void {
    const watched = this.runs.get(runId);
    if (!watched?.ports.delete(port) || watched.ports.size > 0) return;
    watched.channel.close();
    this.runs.delete(runId);
    this.assignStreams();
  }

  /** The oldest watched runs get the streams, the others poll until one is free. */
  private assignStreams(): void {
    const channels = [...this.runs.values()].map((watched) => watched.channel).filter((channel) => !channel.done);
    let free = MAX_RUN_STREAMS - channels.filter((channel) => channel.streaming).length;
    for (const channel of channels) {
      if (channel.streaming) continue;
      if (free > 0) {
        free -= 1;
        channel.openStream();
      } else {
        channel.startPolling();
      }
    }
  }
}

function parseHint(data: string): ChangeHint | null {
  try {
    return JSON.parse(data) as ChangeHint;
  } catch {
    return null;
  }
}
