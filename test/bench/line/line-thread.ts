/** The sockets of a line, on a thread of its own: whoever measures is busy with other things in between. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Direction, systemLineClock, type Part } from './direction.ts';
import type { LineAsked, LineOptions, LineTraffic } from './slow-line.ts';
import { Talk, Trips } from './trips.ts';

/** What may be on its way for one connection, as the buffers of TCP would hold it: several times the line's own. */
const WINDOW_BYTES = 2 * 1024 * 1024;

const { target, roundTripMs, bitsPerSecond } = workerData as LineOptions & { target: string };
const upstream = new URL(target);
const rate = { delayMs: roundTripMs / 2, bytesPerMs: bitsPerSecond / 8000 };
const directions = {
  up: new Direction(rate, systemLineClock),
  down: new Direction(rate, systemLineClock),
};
const open = new Set<Socket>();
let traffic = noTraffic();
let trips = new Trips();
/** Nobody is let in before. */
let stalledUntilMs = 0;

const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
  open.add(near.setNoDelay(true));
  near.on('error', () => near.destroy());
  near.once('close', () => open.delete(near));
  const beganMs = performance.now();
  const readyMs = Math.max(beganMs, stalledUntilMs) + roundTripMs;
  setTimeout(() => join(near, beganMs), readyMs - beganMs);
});

/** A connection has been made, which took its round trip. */
function join(near: Socket, beganMs: number): void {
  if (near.destroyed) return;
  traffic.connections += 1;
  trips.add(beganMs, performance.now());
  const talk = new Talk(trips);
  const far = connect({
    host: upstream.hostname,
    port: Number(upstream.port),
    allowHalfOpen: true,
  });
  open.add(far.setNoDelay(true));
  far.on('error', () => far.destroy());
  far.once('close', () => {
    open.delete(far);
    if (!far.readableEnded) near.destroy();
  });
  near.once('close', () => {
    if (!near.readableEnded) far.destroy();
  });
  near.on('data', (part: Buffer) => {
    traffic.bytesUp += part.length;
    talk.up(performance.now());
  });
  carry(near, far, directions.up);
  carry(far, near, directions.down, (part) => {
    traffic.bytesDown += part.length;
    talk.down(performance.now());
  });
}

function carry(
  from: Socket,
  to: Socket,
  direction: Direction,
  onArrival: (part: Buffer) => void = () => undefined,
): void {
  let heldBytes = 0;
  const lane = direction.open((part: Part) => {
    if (part === 'end') return void to.end();
    onArrival(part);
    to.write(part, () => {
      heldBytes -= part.length;
      if (heldBytes < WINDOW_BYTES / 2) from.resume();
    });
  });
  from.on('data', (part: Buffer) => {
    heldBytes += part.length;
    if (heldBytes > WINDOW_BYTES) from.pause();
    lane.send(part);
  });
  from.once('end', () => lane.send('end'));
  from.resume();
}

function noTraffic(): LineTraffic {
  return { connections: 0, bytesUp: 0, bytesDown: 0, tripsInARow: 0 };
}

function take(): LineTraffic {
  const taken = { ...traffic, tripsInARow: trips.inARow };
  traffic = noTraffic();
  trips = new Trips();
  return taken;
}

/** All connections end at once, and for so long none can be made. */
function cut(forMs: number): void {
  for (const direction of Object.values(directions)) direction.drop();
  for (const socket of open) socket.destroy();
  const { port } = server.address() as AddressInfo;
  server.close();
  setTimeout(() => server.listen(port, '127.0.0.1'), forMs);
}

/** Nothing passes for so long; then all goes on, as when packets were lost and are sent again. */
function stall(forMs: number): void {
  stalledUntilMs = performance.now() + forMs;
  for (const direction of Object.values(directions)) direction.stall(forMs);
}

parentPort?.on('message', (asked: LineAsked) => {
  if (asked.what === 'cut') cut(asked.forMs);
  if (asked.what === 'stall') stall(asked.forMs);
  parentPort?.postMessage(asked.what === 'take' ? take() : undefined);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  parentPort?.postMessage(port);
});
