/**
 * A fixed pool of pack buffers in shared memory. A free buffer is an empty pack already addressed: its sealed
 * header is written, its object key lies beside it. A worker takes one, fills it and hands it to the main
 * thread, which uploads it, addresses it anew and frees it; who finds none free waits, so uploads push back.
 */
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import type { ObjectKey } from '../crypto/frames.ts';
import { assert } from '../base/errors.ts';

const FREE = 1;
const TAKEN = 0;
const SEED_BYTES = 72;
const STATE_INTS_BEFORE = 2;
const FREED = 0;
const STOPPED = 1;

export type SharedPackPool = {
  readonly buffers: readonly SharedArrayBuffer[];
  /** [freed counter, stopped flag, state per buffer]. */
  readonly state: SharedArrayBuffer;
  /** Per buffer: object key (32) ‖ header hash (32) ‖ pack ordinal (u32) ‖ zeros (4). */
  readonly seeds: SharedArrayBuffer;
};

export type PackSeed = {
  readonly header: Uint8Array;
  readonly objectKey: ObjectKey;
  readonly ordinal: number;
};

export class PackPool {
  readonly shared: SharedPackPool;
  readonly #state: Int32Array;
  readonly #bytes: readonly Buffer[];

  constructor(shared: SharedPackPool) {
    this.shared = shared;
    this.#state = new Int32Array(shared.state);
    this.#bytes = shared.buffers.map((buffer) => Buffer.from(buffer));
  }

  static create(buffers: number, packBytes: number): PackPool {
    return new PackPool({
      buffers: Array.from({ length: buffers }, () => new SharedArrayBuffer(packBytes)),
      state: new SharedArrayBuffer((STATE_INTS_BEFORE + buffers) * 4),
      seeds: new SharedArrayBuffer(buffers * SEED_BYTES),
    });
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** How large a pack may become: what a buffer holds. */
  get packBytes(): number {
    return this.bytes(0).length;
  }

  bytes(buffer: number): Buffer {
    const bytes = this.#bytes[buffer];
    assert(bytes, `no pack buffer ${buffer}`);
    return bytes;
  }

  /** Takes a free buffer, waiting for one: for worker threads. -1 once the pool was stopped. */
  takeSync(): number {
    for (;;) {
      const seen = Atomics.load(this.#state, FREED);
      const buffer = this.#tryTake();
      if (buffer >= 0) return buffer;
      if (Atomics.load(this.#state, STOPPED) === 1) return -1;
      Atomics.wait(this.#state, FREED, seen);
    }
  }

  /** The same for the main thread. */
  async take(): Promise<number> {
    for (;;) {
      const seen = Atomics.load(this.#state, FREED);
      const buffer = this.#tryTake();
      if (buffer >= 0) return buffer;
      if (Atomics.load(this.#state, STOPPED) === 1) return -1;
      const waiting = Atomics.waitAsync(this.#state, FREED, seen);
      if (waiting.async) await waiting.value;
    }
  }

  /** Addresses a buffer as a new pack and frees it. */
  freeAs(buffer: number, seed: PackSeed): void {
    assert(seed.header.length === SEALED_HEADER_BYTES, 'a sealed header has a fixed length');
    this.bytes(buffer).set(seed.header);
    const at = Buffer.from(this.shared.seeds, buffer * SEED_BYTES, SEED_BYTES);
    at.set(seed.objectKey.key);
    at.set(seed.objectKey.headerHash, 32);
    at.writeUInt32LE(seed.ordinal, 64);
    this.free(buffer);
  }

  free(buffer: number): void {
    Atomics.store(this.#state, STATE_INTS_BEFORE + buffer, FREE);
    this.#wake();
  }

  seedOf(buffer: number): { objectKey: ObjectKey; ordinal: number } {
    const at = Buffer.from(this.shared.seeds, buffer * SEED_BYTES, SEED_BYTES);
    const copy = Buffer.from(at);
    return {
      objectKey: { key: copy.subarray(0, 32), headerHash: copy.subarray(32, 64) },
      ordinal: copy.readUInt32LE(64),
    };
  }

  /** Ends every wait: nobody will free a buffer any more. */
  stop(): void {
    Atomics.store(this.#state, STOPPED, 1);
    this.#wake();
  }

  get stopped(): boolean {
    return Atomics.load(this.#state, STOPPED) === 1;
  }

  #tryTake(): number {
    for (let buffer = 0; buffer < this.#bytes.length; buffer++) {
      const at = STATE_INTS_BEFORE + buffer;
      if (Atomics.compareExchange(this.#state, at, FREE, TAKEN) === FREE) return buffer;
    }
    return -1;
  }

  #wake(): void {
    Atomics.add(this.#state, FREED, 1);
    Atomics.notify(this.#state, FREED);
  }
}
