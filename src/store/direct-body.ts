/**
 * Large bodies over plain HTTP, from the socket straight into the buffer that they are meant for. On their way through
 * node:http every 64 KiB are copied twice and left to the garbage collector, which takes three times as long as the
 * reading itself (measured: 1.3 s of CPU a GiB, and 0.4 without). So once the head of an answer was parsed, whoever
 * reads the body may take the connection over; it ends with that body.
 */
import type { Agent } from 'node:http';
import { connect, type TcpNetConnectOpts } from 'node:net';
import { Duplex, type Readable } from 'node:stream';

/** A connection more for each costs nothing beside so much. */
const DIRECT_BYTES_MIN = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

export type Progress = { at: number };

/** Where the bytes of a connection go once it was taken over. */
type Sink = { readonly into: Uint8Array; readonly progress: Progress; readonly full: () => void };
type Lane = { sink: Sink | undefined };

const lanes = new WeakMap<Duplex, Lane>();

/** An agent whose connections can be taken over. */
export function directAgent(socketsMax: number): Agent {
  // Importing `node:http` for its class would load all of fetch along: 40 ms.
  const http = process.getBuiltinModule('node:http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: socketsMax });
  agent.createConnection = ({ host, port, ...to }) =>
    openLane({ ...to, host: host ?? 'localhost', port: Number(port) });
  return agent;
}

function openLane(to: TcpNetConnectOpts): Duplex {
  const lane: Lane = { sink: undefined };
  const scratch = Buffer.allocUnsafeSlow(PIECE_BYTES);
  const buffer = (): Uint8Array => {
    const { sink } = lane;
    return sink ? sink.into.subarray(sink.progress.at) : scratch;
  };
  const callback = (bytes: number, read: Uint8Array): boolean => {
    const piece = read.subarray(0, bytes);
    if (!lane.sink) return socket.emit('data', Buffer.from(piece));
    return swallow(socket, lane, piece, read === scratch);
  };
  const socket = connect({ ...to, onread: { buffer, callback } });
  lanes.set(socket, lane);
  return socket;
}

/** False: that was all. The first piece after a takeover still comes in the buffer from before it. */
function swallow(socket: Duplex, lane: Lane, piece: Uint8Array, isElsewhere: boolean): boolean {
  const { sink } = lane;
  if (!sink) return false;
  const { into, progress } = sink;
  if (progress.at + piece.length > into.length) {
    socket.destroy(new Error('too many bytes'));
    return false;
  }
  if (isElsewhere) into.set(piece, progress.at);
  progress.at += piece.length;
  if (progress.at < into.length) return true;
  lane.sink = undefined;
  sink.full();
  return false;
}

/** Fills `into` with the body. Undefined: not this way; nothing of it was read. */
export function pourDirectly(
  body: Readable,
  into: Uint8Array,
  progress: Progress,
): Promise<void> | undefined {
  const socket = socketOf(body);
  const lane = socket && lanes.get(socket);
  if (!lane || into.length < DIRECT_BYTES_MIN) return undefined;
  return takeOver(body, lane, into, progress).finally(() => {
    // Before anybody else gets the buffer: nothing may be written into it from here any more.
    socket.destroy();
    body.destroy();
  });
}

async function takeOver(
  body: Readable,
  lane: Lane,
  into: Uint8Array,
  progress: Progress,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    body.once('error', reject);
    body.once('close', () => reject(new Error('closed early'))); // after `full` this is heard by nobody
    // What came with the head was parsed already.
    for (let piece: unknown = body.read(); piece instanceof Uint8Array; piece = body.read()) {
      if (progress.at + piece.length > into.length) return reject(new Error('too many bytes'));
      into.set(piece, progress.at);
      progress.at += piece.length;
    }
    if (progress.at === into.length) return resolve();
    lane.sink = { into, progress, full: resolve };
    socketOf(body)?.resume();
  });
}

/** Of an HTTP answer. */
export function socketOf(body: Readable): Duplex | undefined {
  return 'socket' in body && body.socket instanceof Duplex ? body.socket : undefined;
}
