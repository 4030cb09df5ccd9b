// The little that a server of ours needs around node:http.

import { createServer } from 'node:http';

const MOST_BODY = 40 * 1024 * 1024;

/** Listens at a loopback port of the kernel's choice and gives `127.0.0.1:port`. */
export function listen(handler) {
  const server = createServer(handler);
  // A request that is held on purpose is ended by whoever waits for it.
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve({ server, address: `127.0.0.1:${server.address().port}` }));
  });
}

/** The whole body; null when it is larger than anybody may send. */
export async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MOST_BODY) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function sendJson(response, status, value, headers = {}) {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length, ...headers });
  response.end(body);
}

/** `application/json` of a content type with its parameters. */
export function mediaType(header) {
  return (header ?? '').split(';')[0].trim().toLowerCase();
}
