// Everything the pages share: theme, cache, live layer, messages, router.
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, useEffect } from 'react';
import { live, queryClient } from '../data/client';
import { LiveContext } from '../live/hooks';
import { theme } from '../theme/theme';
import { router } from './router';

export function App({ nonce }: { nonce: string | undefined }) {
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  return (
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce ?? ''}>
        <QueryClientProvider client={queryClient}>
          <LiveContext value={live}>
            <Notifications position="bottom-right" limit={4} />
            <RouterProvider router={router} />
          </LiveContext>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>
  );
}
