/** A server's face that can be told to let through only what is presigned: what a machine without credentials sends. */
import { once } from 'node:events';
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';

export type PresignedProxy = {
  readonly url: string;
  /** From now on anything that is not presigned is refused and noted. */
  onlyPresigned: boolean;
  /** What was refused, as method and path without the query. */
  readonly refused: string[];
  /** What was let through while only presigned requests were: method and path. */
  readonly passed: string[];
  /** Paths of all PUTs that were passed on. */
  readonly stored: string[];
  /** Asked before each request is passed on; true: it is denied instead; `cut`: its connection ends. */
  denies: (method: string, path: string) => boolean | 'cut';
  close(): Promise<void>;
};

export async function startPresignedProxy(target: string): Promise<PresignedProxy> {
  const server = createServer((incoming, outgoing) => pass(proxy, target, incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy: PresignedProxy = {
    url: `http://127.0.0.1:${address.port}`,
    onlyPresigned: false,
    refused: [],
    passed: [],
    stored: [],
    denies: () => false,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

function pass(
  proxy: PresignedProxy,
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { method = '', url = '', headers } = incoming;
  const [path = '', query = ''] = url.split('?');
  const isPresigned = query.includes('X-Amz-Signature=') && headers.authorization === undefined;
  if (proxy.onlyPresigned) (isPresigned ? proxy.passed : proxy.refused).push(`${method} ${path}`);
  if (proxy.onlyPresigned && !isPresigned) {
    outgoing.writeHead(403).end('<Error><Code>NotPresigned</Code></Error>');
    return;
  }
  const denied = proxy.denies(method, path);
  if (denied === 'cut') return void incoming.socket.destroy();
  if (denied) {
    outgoing.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
    return;
  }
  if (method === 'PUT') proxy.stored.push(path);
  // The Host that was signed is passed on as it came.
  const onward = forward(target + url, { method, headers, setHost: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => incoming.socket.destroy());
  incoming.pipe(onward);
}
