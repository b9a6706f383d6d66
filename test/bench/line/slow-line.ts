/**
 * A line between a tool and the server: every byte arrives after a delay, no direction carries more than its rate, and
 * a connection costs a round trip before its first byte. It works on connections, below HTTP, and all of them share the
 * rate. What it has not: losses, a slow start, the headers of packets.
 */
import { Worker } from 'node:worker_threads';

export type LineOptions = {
  /** Both ways together, as `ping` would show it. */
  readonly roundTripMs: number;
  readonly bitsPerSecond: number;
};

/** What passed since it was taken last, in bytes of connections: requests and answers with their heads. */
export type LineTraffic = {
  connections: number;
  bytesUp: number;
  bytesDown: number;
  /** Those that waited for one another; see `Trips`. */
  tripsInARow: number;
};

export type LineAsked =
  | { readonly what: 'take' }
  | { readonly what: 'cut' | 'stall'; readonly forMs: number };

export type SlowLine = {
  readonly endpoint: string;
  readonly options: LineOptions;
  take(): Promise<LineTraffic>;
  /** All connections end at once, and for so long none can be made. */
  cut(forMs: number): Promise<void>;
  /** For so long nothing passes; then all goes on. */
  stall(forMs: number): Promise<void>;
  close(): Promise<void>;
};

export async function startSlowLine(target: string, options: LineOptions): Promise<SlowLine> {
  const thread = new Worker(new URL('./line-thread.ts', import.meta.url), {
    workerData: { target, ...options },
  });
  const answer = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      thread.once('error', reject);
      thread.once('message', (said) => {
        thread.off('error', reject);
        resolve(said);
      });
    });
  // One at a time, so that answers need no names.
  let last: Promise<unknown> = answer();
  const ask = (asked: LineAsked): Promise<unknown> => {
    last = last.then(() => {
      thread.postMessage(asked);
      return answer();
    });
    return last;
  };
  const port = await last;
  return {
    endpoint: `http://127.0.0.1:${String(port)}`,
    options,
    take: async () => (await ask({ what: 'take' })) as LineTraffic,
    cut: async (forMs) => void (await ask({ what: 'cut', forMs })),
    stall: async (forMs) => void (await ask({ what: 'stall', forMs })),
    close: async () => void (await thread.terminate()),
  };
}
