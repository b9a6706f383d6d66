import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Nobody listens there: for installs whose gateway never runs. */
export const CLOSED_PORT = 1;

/** Below those that systems give to outgoing connections: none of them can have it before it is used. */
const OWN_PORTS = { first: 20_000, end: 32_000 } as const;

/** A port on which nobody listens yet. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(OWN_PORTS.first, OWN_PORTS.end);
    if (await canListenAt(port)) return port;
  }
}

function canListenAt(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
