/**
 * Stands between a tool and the server and counts requests and bytes. It takes CPU time that the tool would have, so
 * counted runs are never the timed ones.
 */
import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type Traffic = {
  put: number;
  get: number;
  head: number;
  list: number;
  delete: number;
  bytesUp: number;
  bytesDown: number;
};

export type CountingProxy = {
  readonly endpoint: string;
  /** What passed since the last call. */
  take(): Traffic;
  close(): Promise<void>;
};

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  let traffic = noTraffic();
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const upstream = new URL(target);
  const server: Server = createServer((incoming, outgoing) => {
    traffic[kindOf(incoming)] += 1;
    incoming.on('data', (part: Buffer) => (traffic.bytesUp += part.length));
    forward(incoming, outgoing, upstream, agent, (bytes) => (traffic.bytesDown += bytes));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    take: () => {
      const taken = traffic;
      traffic = noTraffic();
      return taken;
    },
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  upstream: URL,
  agent: Agent,
  count: (bytes: number) => void,
): void {
  // The Host header is signed: it goes on as it came. `Expect` was answered by us.
  const headers = withoutExpect(incoming.rawHeaders);
  const { hostname, port } = upstream;
  const passed = request(
    { hostname, port, agent, method: incoming.method, path: incoming.url, headers, setHost: false },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.on('data', (part: Buffer) => count(part.length));
      answer.pipe(outgoing);
    },
  );
  passed.on('error', () => outgoing.destroy());
  incoming.on('error', () => passed.destroy());
  incoming.pipe(passed);
}

function withoutExpect(raw: readonly string[]): string[] {
  return raw.filter((_, at) => raw[at - (at % 2)]?.toLowerCase() !== 'expect');
}

/** A GET of the bucket itself is a listing; one with another question about the bucket counts as one too. */
function kindOf(incoming: IncomingMessage): 'put' | 'get' | 'head' | 'list' | 'delete' {
  const url = new URL(incoming.url ?? '/', 'http://proxy');
  const isBucket = url.pathname.split('/').filter((part) => part !== '').length <= 1;
  if (incoming.method === 'GET') return isBucket ? 'list' : 'get';
  if (incoming.method === 'HEAD') return 'head';
  return incoming.method === 'DELETE' ? 'delete' : 'put';
}

const noTraffic = (): Traffic => ({
  put: 0,
  get: 0,
  head: 0,
  list: 0,
  delete: 0,
  bytesUp: 0,
  bytesDown: 0,
});
