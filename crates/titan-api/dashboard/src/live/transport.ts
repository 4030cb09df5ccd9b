// The page's line to the hub: through a SharedWorker where the browser has one, else to a hub in the page itself.
import { Hub, type HubPort } from './hub';
import { hubDeps } from './hubDeps';
import type { FromHub, ToHub } from './protocol';

export interface Transport {
  /** A hub that serves this tab only should rest while nobody looks at the tab. */
  readonly shared: boolean;
  send(message: ToHub): void;
  close(): void;
}

export type Receive = (message: FromHub) => void;

export function openLocal(receive: Receive): Transport {
  const hub = new Hub(hubDeps);
  const port: HubPort = { post: receive };
  return { shared: false, send: (message) => hub.receive(port, message), close: () => hub.detach(port) };
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
