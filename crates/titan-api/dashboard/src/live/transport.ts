// The page's line to the hub: through a SharedWorker where the browser has one, else to a hub in the page itself.
import { backoffDelay } from './backoff';
import type { Hub, HubPort } from './hub';
import type { FromHub, ToHub } from './protocol';

export interface Transport {
  /** A hub that serves this tab only should rest while nobody looks at the tab. */
  readonly shared: boolean;
  send(message: ToHub): void;
  close(): void;
}

export type Receive = (message: FromHub) => void;

const fetchHub = () => import('./localHub').then((file) => file.newHub());

/** A hub in the page itself. Its code comes first, over and over until it is there; what the page says meanwhile waits. */
export function openLocal(receive: Receive, load: () => Promise<Hub> = fetchHub): Transport {
  const port: HubPort = { post: receive };
  let waiting: ToHub[] = [];
  let hub: Hub | null = null;
  let closed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const since = Date.now();

  async function begin(failures: number): Promise<void> {
    try {
      const loaded = await load();
      if (closed) return;
      hub = loaded;
      for (const message of waiting) hub.receive(port, message);
      waiting = [];
    } catch {
      if (closed) return;
      const delay = backoffDelay(failures + 1);
      receive({ type: 'connection', connection: { kind: 'offline', since, retryAt: Date.now() + delay } });
      timer = setTimeout(() => void begin(failures + 1), delay);
    }
  }

  function send(message: ToHub): void {
    if (hub !== null) {
      hub.receive(port, message);
      return;
    }
    // A page that says hello says everything else once more, and nobody is there to answer a ping.
    if (message.type === 'hello') waiting = [];
    if (message.type !== 'ping' && message.type !== 'reconnect') waiting.push(message);
  }

  void begin(0);
  return {
    shared: false,
    send,
    close: () => {
      closed = true;
      clearTimeout(timer);
      hub?.detach(port);
    },
  };
}

export function openShared(receive: Receive, onBroken: () => void): Transport | null {
  if (typeof SharedWorker === 'undefined') return null;
  try {
    const worker = new SharedWorker(new URL('./sharedWorker.ts', import.meta.url), {
      type: 'module',
      name: 'titan-live',
    });
    worker.onerror = onBroken;
    worker.port.onmessage = (event: MessageEvent<FromHub>) => receive(event.data);
    worker.port.start();
    return {
      shared: true,
      send: (message) => worker.port.postMessage(message),
      close: () => worker.port.close(),
    };
  } catch {
    return null;
  }
}
