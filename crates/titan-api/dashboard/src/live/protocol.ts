// What tabs and the hub say to each other. Everything is plain data, because it crosses a MessagePort.
import type { ChangeHint, Heartbeat, RunEvent } from '../api/types';

export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'reconnecting'; retryAt: number }
  /** The server answers, but its stream does not get through (a proxy that buffers). */
  | { kind: 'polling' }
  | { kind: 'offline'; since: number; retryAt: number };

export type ToHub =
  | { type: 'hello' }
  | { type: 'ping' }
  | { type: 'bye' }
  | { type: 'reconnect' }
  | { type: 'watch'; runId: string; after: number }
  | { type: 'unwatch'; runId: string };

export type FromHub =
  | { type: 'connection'; connection: Connection }
  | { type: 'pong' }
  /** The hub had given this tab up (it slept too long) and follows nothing for it any more. */
  | { type: 'forgotten' }
  | { type: 'change'; hint: ChangeHint }
  | { type: 'resync' }
  | { type: 'run-events'; runId: string; events: RunEvent[] }
  | { type: 'run-heartbeat'; heartbeat: Heartbeat }
  | { type: 'run-end'; runId: string; status: string }
  | { type: 'run-refused'; runId: string; status: number };

export const MAX_RUN_STREAMS = 3;
export const RUN_POLL_MS = 2000;
export const CHANGE_POLL_MS = 5000;
/** A tab says that it lives this often; browsers slow the timers of hidden tabs down to one a minute. */
export const PING_MS = 5000;
export const PORT_SILENCE_MS = 180_000;
