// How the hub reaches the server, the same in a SharedWorker and in a page.
import { listRunEvents } from '../api/calls';
import { timedFetch } from '../api/http';
import type { HubDeps } from './hub';

export const hubDeps: HubDeps = {
  fetch: (input, init) => fetch(input, init),
  readPage: (runId, after, limit) => listRunEvents(runId, after, limit),
  probe: async () => {
    try {
      return (await timedFetch('/healthz', { cache: 'no-store' }, 5000)).ok;
    } catch {
      return false;
    }
  },
};
