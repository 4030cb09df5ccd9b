import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `npm run dev` serves the pages and passes the API's paths on to a titan-api on its default port.
const api = process.env.TITAN_API ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    manifest: true,
    // A data: URI would need a wider content policy, so nothing is inlined.
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
  // The API compares the Origin with the Host it was asked for: the proxy must leave the Host alone.
  server: {
    proxy: Object.fromEntries(
      ['/api', '/healthz', '/readyz'].map((path) => [path, { target: api, changeOrigin: false }]),
    ),
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['src/test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
  },
});
