// The SharedWorker that holds the hub: one for all tabs of this origin.
import { Hub, type HubPort } from './hub';
import { hubDeps } from './hubDeps';
import type { ToHub } from './protocol';

const hub = new Hub(hubDeps);
const scope = self as unknown as { onconnect: ((event: MessageEvent) => void) | null };

scope.onconnect = (event) => {
  const channel = event.ports[0];
  if (channel === undefined) return;
  const port: HubPort = { post: (message) => channel.postMessage(message) };
  channel.onmessage = (incoming: MessageEvent<ToHub>) => hub.receive(port, incoming.data);
  channel.start();
};
