/**
 * Which chunks are known and in which pack: a table in shared memory that every thread reads and extends
 * without locks. A slot is 24 bytes: the first 16 of the chunk id, the pack, the next slot of its bucket. Slots
 * lie densely in the order of insertion; memory that was never reached is never resident.
 */
import { assert } from '../base/errors.ts';

const SLOT_INTS = 6;
const PACK = 4;
const NEXT = 5;
const PACK_MASK = 0x00ffffff;
const USED_FLAG = 0x01000000;
/** A claimed chunk whose pack is not known yet. */
const PENDING = 0;

export const CHUNK_TABLE_LIMITS = { slotsMax: 11_000_000, packsMax: PACK_MASK - 1 } as const;

export type SharedChunkTable = {
  readonly heads: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
};

export class ChunkTable {
  readonly shared: SharedChunkTable;
  readonly #heads: Int32Array;
  readonly #slots: Int32Array;
  readonly #control: Int32Array;
  readonly #mask: number;

  constructor(shared: SharedChunkTable) {
    this.shared = shared;
    this.#heads = new Int32Array(shared.heads);
    this.#slots = new Int32Array(shared.slots);
    this.#control = new Int32Array(shared.control);
    this.#mask = this.#heads.length - 1;
  }

  /** @param expectedChunks how many are likely; more only makes look-ups slower */
  static create(expectedChunks: number): ChunkTable {
    const buckets = 2 ** Math.min(22, Math.max(16, Math.ceil(Math.log2(expectedChunks + 1))));
    return new ChunkTable({
      heads: new SharedArrayBuffer(buckets * 4),
      slots: new SharedArrayBuffer(CHUNK_TABLE_LIMITS.slotsMax * SLOT_INTS * 4),
      control: new SharedArrayBuffer(4),
    });
  }

  get size(): number {
    return Math.min(Atomics.load(this.#control, 0), CHUNK_TABLE_LIMITS.slotsMax);
  }

  /** The slot of a chunk, or -1. */
  find(id: Buffer): number {
    return this.#findFrom(Atomics.load(this.#heads, id.readInt32LE(0) & this.#mask), 0, id);
  }

  /** The next slot with the same id after `slot` (the same chunk in another pack), or -1. */
  findNext(slot: number, id: Buffer): number {
    return this.#findFrom(Atomics.load(this.#slots, slot * SLOT_INTS + NEXT), 0, id);
  }

  /**
   * Finds a chunk or takes on the duty to store it: exactly one of several racing threads gets `~slot`
   * (negative), all others the slot of the winner. Marks it as used either way.
   */
  claim(id: Buffer): number {
    const bucket = id.readInt32LE(0) & this.#mask;
    let head = Atomics.load(this.#heads, bucket);
    let slot = this.#findFrom(head, 0, id);
    let fresh = -1;
    while (slot < 0) {
      if (fresh < 0) fresh = this.#newSlot(id, PENDING | USED_FLAG);
      Atomics.store(this.#slots, fresh * SLOT_INTS + NEXT, head);
      const found = Atomics.compareExchange(this.#heads, bucket, head, fresh + 1);
      if (found === head) return ~fresh;
      slot = this.#findFrom(found, head, id);
      head = found;
    }
    this.markUsed(slot);
    return slot;
  }

  /** Adds a chunk that lies in `pack`; the same id may be added for several packs. Answers its slot. */
  add(id: Buffer, pack: number): number {
    const bucket = id.readInt32LE(0) & this.#mask;
    const slot = this.#newSlot(id, pack + 1);
    for (;;) {
      const head = Atomics.load(this.#heads, bucket);
      Atomics.store(this.#slots, slot * SLOT_INTS + NEXT, head);
      if (Atomics.compareExchange(this.#heads, bucket, head, slot + 1) === head) return slot;
    }
  }

  markUsed(slot: number): void {
    Atomics.or(this.#slots, slot * SLOT_INTS + PACK, USED_FLAG);
  }

  setPack(slot: number, pack: number): void {
    Atomics.or(this.#slots, slot * SLOT_INTS + PACK, pack + 1);
  }

  /** The pack of a slot, or -1 while it is not known. */
  packOf(slot: number): number {
    return (Atomics.load(this.#slots, slot * SLOT_INTS + PACK) & PACK_MASK) - 1;
  }

  /** Every pack that holds a used chunk. @throws bug when a used chunk was never stored */
  usedPacks(): Set<number> {
    const packs = new Set<number>();
    const { size } = this;
    for (let slot = 0; slot < size; slot++) {
      const value = this.#slots[slot * SLOT_INTS + PACK] ?? 0;
      if ((value & USED_FLAG) === 0) continue;
      // A slot that lost the race for its bucket is unreachable and stays pending.
      if ((value & PACK_MASK) === PENDING)
        assert(!this.#isReachable(slot), 'a used chunk has no pack');
      else packs.add((value & PACK_MASK) - 1);
    }
    return packs;
  }

  #isReachable(slot: number): boolean {
    const first = this.#slots[slot * SLOT_INTS] ?? 0;
    let at = this.#heads[first & this.#mask] ?? 0;
    while (at !== 0) {
      if (at - 1 === slot) return true;
      at = this.#slots[(at - 1) * SLOT_INTS + NEXT] ?? 0;
    }
    return false;
  }

  #newSlot(id: Buffer, pack: number): number {
    const slot = Atomics.add(this.#control, 0, 1);
    assert(slot < CHUNK_TABLE_LIMITS.slotsMax, 'more chunks than the table can hold');
    const at = slot * SLOT_INTS;
    for (let part = 0; part < 4; part++) this.#slots[at + part] = id.readInt32LE(part * 4);
    this.#slots[at + PACK] = pack;
    return slot;
  }

  /** Follows a bucket from `head` until `stop` (exclusive); both are slot + 1, 0 is the end. */
  #findFrom(head: number, stop: number, id: Buffer): number {
    const first = id.readInt32LE(0);
    let at = head;
    while (at !== stop && at !== 0) {
      const slot = (at - 1) * SLOT_INTS;
      if (
        this.#slots[slot] === first &&
        this.#slots[slot + 1] === id.readInt32LE(4) &&
        this.#slots[slot + 2] === id.readInt32LE(8) &&
        this.#slots[slot + 3] === id.readInt32LE(12)
      ) {
        return at - 1;
      }
      at = Atomics.load(this.#slots, slot + NEXT);
    }
    return -1;
  }
}
