// A fake server of event streams: each connection is kept, so that a test can write to it, end it or leave it silent.
/** What the server sends at once. */
const OPENING = 'retry: 1000\n: connected\n\n';

export interface Connection {
  url: string;
  headers: Headers;
  write(text: string): void;
  end(): void;
  fail(): void;
  aborted: boolean;
}

export class FakeStreams {
  readonly connections: Connection[] = [];
  /** What the next connections get: a status that refuses, or null for an open stream. */
  status: number | 'unreachable' | 'hanging' | null = null;
  /** Whether a refusal is the server's own, not that of a proxy before it. */
  own = true;
  /** Whether a proxy holds back what the server writes. */
  buffered = false;

  readonly fetch: typeof fetch = async (input, init) => {
    if (this.status === 'hanging') return untilAborted(init?.signal);
    if (this.status === 'unreachable') throw new TypeError('fetch failed');
    if (this.status !== null) {
      const type = this.own ? 'application/problem+json' : 'text/html';
      return new Response('', { status: this.status, headers: { 'content-type': type } });
    }
    const buffered = this.buffered;
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (own) => {
        controller = own;
        if (!buffered) own.enqueue(new TextEncoder().encode(OPENING));
      },
    });
    const connection: Connection = {
      url: String(input),
      headers: new Headers(init?.headers),
      write: (text) => controller?.enqueue(new TextEncoder().encode(text)),
      end: () => controller?.close(),
      fail: () => controller?.error(new Error('connection reset')),
      aborted: false,
    };
    init?.signal?.addEventListener('abort', () => {
      connection.aborted = true;
      try {
        controller?.error(new DOMException('aborted', 'AbortError'));
      } catch {
        // It had ended by itself.
      }
    });
    this.connections.push(connection);
    return new Response(body, { status: 200, headers: { 'content-type': 'text/event-stream' } });
  };

  get last(): Connection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('nobody has connected');
    return connection;
  }
}

export const sse = (event: string, data: unknown, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

const untilAborted = (signal: AbortSignal | null | undefined) =>
  new Promise<Response>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
