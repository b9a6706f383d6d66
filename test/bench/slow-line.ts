/**
 * A line between a tool and the server: every byte arrives after a delay, and no direction carries more than its rate.
 * It works on connections, below HTTP, and shares the rate among all of them.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export type SlowLine = { readonly endpoint: string; close(): Promise<void> };

export type LineOptions = {
  /** Both ways together, as `ping` would show it. */
  readonly roundTripMs: number;
  readonly bitsPerSecond: number;
};

export async function startSlowLine(target: string, options: LineOptions): Promise<SlowLine> {
  const upstream = new URL(target);
  const up = makeDirection(options);
  const down = makeDirection(options);
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({
      host: upstream.hostname,
      port: Number(upstream.port),
      allowHalfOpen: true,
    });
    for (const socket of [near, far]) {
      open.add(socket.setNoDelay(true));
      socket.once('close', () => open.delete(socket));
    }
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(up()).pipe(far);
    far.pipe(down()).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One direction of the line: a queue that all connections share. */
function makeDirection(options: LineOptions): () => Transform {
  const delayMs = options.roundTripMs / 2;
  const bytesPerMs = options.bitsPerSecond / 8000;
  let freeAtMs = 0;
  return () => {
    // Timers of different lengths may fire out of turn; the parts must not.
    const underway: Buffer[] = [];
    return new Transform({
      transform(part: Buffer, _encoding, done) {
        const sentMs = Math.max(freeAtMs, performance.now()) + part.length / bytesPerMs;
        freeAtMs = sentMs;
        underway.push(part);
        const waitMs = Math.max(0, sentMs - performance.now());
        setTimeout(() => {
          this.push(underway.shift());
          if (underway.length === 0) this.emit('drained');
        }, waitMs + delayMs);
        // The next part may be taken when this one has left, not when it has arrived.
        setTimeout(done, waitMs);
      },
      flush(done) {
        if (underway.length === 0) done();
        else this.once('drained', () => done());
      },
    });
  };
}
