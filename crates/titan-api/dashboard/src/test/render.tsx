// Renders a component with what the app gives to all of them: theme, cache, live layer and a router that knows the
// addresses the links name.
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { LiveClient } from '../live/client';
import { LiveContext } from '../live/hooks';
import type { FromHub, ToHub } from '../live/protocol';
import { theme } from '../theme/theme';

export interface Page {
  /** What the page told the hub. */
  sent: ToHub[];
  /** Plays the hub. */
  hub: (message: FromHub) => void;
  client: QueryClient;
}

const PATHS = [
  '/projects',
  '/welcome',
  '/projects/$projectId/progress',
  '/projects/$projectId/input',
  '/projects/$projectId/output',
  '/projects/$projectId/plan',
  '/runs/$runId',
  '/templates',
  '/queue',
  '/ops',
  '/ops/$proposalId',
  '/system',
];

export async function renderPage(children: ReactNode): Promise<Page> {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  const sent: ToHub[] = [];
  let receive: (message: FromHub) => void = () => undefined;
  const live = new LiveClient(
    { change: () => undefined, resync: () => undefined },
    {
      shared: () => null,
      local: (own) => {
        receive = own;
        return { shared: false, send: (message) => sent.push(message), close: () => undefined };
      },
    },
    (callback) => callback(),
  );
  live.start();
  const root = createRootRoute();
  const home = createRoute({ getParentRoute: () => root, path: '/', component: () => children });
  const others = PATHS.map((path) => createRoute({ getParentRoute: () => root, path }));
  const router = createRouter({
    routeTree: root.addChildren([home, ...others]),
    history: createMemoryHistory({ initialEntries: ['/'] }),
  });
  await router.load();
  render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        <LiveContext value={live}>
          <RouterProvider router={router as never} />
        </LiveContext>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { sent, hub: (message) => receive(message), client };
}

export interface Call {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

/** A fake server for `fetch`: the answer of the first route whose method and start of path fit. */
export function fakeServer(routes: Record<string, (call: Call) => Response | Promise<Response>>): {
  fetch: typeof fetch;
  calls: Call[];
} {
  const calls: Call[] = [];
  return {
    calls,
    fetch: async (input, init) => {
      const request = input instanceof Request ? input : null;
      const method = request?.method ?? init?.method ?? 'GET';
      const url = request?.url.replace(/^https?:\/\/[^/]+/, '') ?? String(input);
      const text = request ? await request.clone().text() : typeof init?.body === 'string' ? init.body : '';
      const call = {
        method,
        url,
        headers: request?.headers ?? new Headers(init?.headers),
        body: text.startsWith('{') ? JSON.parse(text) : undefined,
      };
      calls.push(call);
      const route = Object.entries(routes).find(([name]) => `${method} ${url}`.startsWith(name));
      if (route === undefined) throw new TypeError(`no route for ${method} ${url}`);
      return route[1](call);
    },
  };
}

export const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
