/**
 * Parts of packs for the workers: the frames that some chunks lie in, fetched into small buffers that are used again.
 * It only makes reading quick: a chunk that is not where the first look finds it is left to `SnapshotReader.chunk`,
 * which tries every place.
 */
import { allEnded } from '../base/all-ended.ts';
import { assert, isObjectFault } from '../base/errors.ts';
import type { ObjectKey } from '../crypto/frames.ts';
import type { ChunkPlace } from '../format/chunk-place.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import type { IndexedPack } from '../format/index-object.ts';
import type { PackPart, ReadSetup } from '../workers/messages.ts';
import { PackPool } from '../workers/pack-pool.ts';
import { KnownPlaces } from './known-places.ts';
import type { PackSource } from './open.ts';
import { GAP_BYTES, packKey, packName, readRange } from './pack-reader.ts';
import type { SnapshotReader } from './snapshot-reader.ts';

/** Twice the largest frame; frames of a pack that lie near each other come together. */
const PART_BYTES = 4 * 1024 * 1024;

export type WantedChunk = { readonly id: Buffer; readonly length: number };

/** @param indexes of the chunks in the part, in what was wanted */
export type WorkOnPart = (part: PackPart, indexes: readonly number[]) => Promise<void>;

type Located = { readonly index: number; readonly id: Buffer; readonly place: ChunkPlace };
type Stretch = { readonly from: number; end: number; readonly located: Located[] };

export class PackParts {
  readonly #repository: PackSource;
  readonly #snapshot: SnapshotReader;
  readonly #pool: PackPool;
  readonly #signal: AbortSignal;
  readonly #places = new KnownPlaces();
  readonly #keys = new Map<number, Promise<ObjectKey>>();

  /** @param buffers how many parts are fetched or worked on at a time */
  constructor(
    repository: PackSource,
    snapshot: SnapshotReader,
    buffers: number,
    signal: AbortSignal,
  ) {
    this.#repository = repository;
    this.#snapshot = snapshot;
    this.#signal = signal;
    this.#pool = PackPool.create(buffers, PART_BYTES);
    for (let buffer = 0; buffer < buffers; buffer++) this.#pool.free(buffer);
  }

  /** What every worker has to be told first. */
  get setup(): ReadSetup {
    return { pool: this.#pool.shared, chunkIdKey: this.#snapshot.chunkIdKey };
  }

  /** Has every part worked on that holds some of these chunks and could be fetched. */
  async each(wanted: readonly WantedChunk[], work: WorkOnPart): Promise<void> {
    const parts: Promise<void>[] = [];
    for (const [ordinal, located] of this.#locate(wanted)) {
      for (const one of stretchesOf(located)) parts.push(this.#onPart(ordinal, one, work));
    }
    await allEnded(parts);
  }

  /** By pack; what is nowhere is left out. */
  #locate(wanted: readonly WantedChunk[]): Map<number, Located[]> {
    const byPack = new Map<number, Located[]>();
    for (const [index, { id, length }] of wanted.entries()) {
      const { table } = this.#snapshot.chunks;
      const slot = table.find(id);
      const ordinal = slot < 0 ? -1 : table.packOf(slot);
      const place = this.#placeIn(ordinal, id);
      if (place?.length !== length) continue;
      const located = byPack.get(ordinal) ?? [];
      byPack.set(ordinal, located);
      located.push({ index, id, place });
    }
    return byPack;
  }

  #placeIn(ordinal: number, id: Buffer): ChunkPlace | undefined {
    const pack = this.#snapshot.packs[ordinal];
    try {
      return pack && this.#places.in(ordinal, pack).get(id);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      return undefined;
    }
  }

  async #onPart(ordinal: number, { from, end, located }: Stretch, work: WorkOnPart): Promise<void> {
    const buffer = await this.#pool.take();
    try {
      const objectKey = await this.#load(ordinal, from, this.#pool.bytes(buffer), end - from);
      if (!objectKey) return;
      const places = located.map(({ place }) => place);
      const ids = Buffer.concat(located.map(({ id }) => id));
      const indexes = located.map(({ index }) => index);
      await work({ buffer, from, objectKey, places, ids }, indexes);
    } finally {
      this.#pool.free(buffer);
    }
  }

  /** The key to what came; undefined: the pack did not deliver. */
  async #load(
    ordinal: number,
    offset: number,
    buffer: Buffer,
    length: number,
  ): Promise<ObjectKey | undefined> {
    const pack = this.#snapshot.packs[ordinal];
    assert(pack, `no pack ${ordinal}`);
    const into = buffer.subarray(0, length);
    const { store } = this.#repository;
    try {
      const [answer, key] = await allEnded([
        store.getInto(packName(pack), { offset, length }, into, this.#signal),
        this.#key(ordinal, pack),
      ]);
      return answer?.length === length ? key : undefined;
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      return undefined;
    }
  }

  async #key(ordinal: number, pack: IndexedPack): Promise<ObjectKey> {
    const known = this.#keys.get(ordinal);
    if (known) return known;
    const { store } = this.#repository;
    const header = readRange(store, packName(pack), 0, SEALED_HEADER_BYTES, this.#signal);
    const key = header.then((bytes) => packKey(this.#repository, pack, bytes));
    this.#keys.set(ordinal, key);
    return key;
  }
}

/** What is fetched at once, as much as a buffer holds. */
function stretchesOf(located: readonly Located[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const one of located.toSorted((a, b) => positionOf(a) - positionOf(b))) {
    const { frameOffset, frameStored } = one.place;
    const end = frameOffset + frameStored;
    const last = stretches.at(-1);
    if (last && frameOffset - last.end <= GAP_BYTES && end - last.from <= PART_BYTES) {
      last.end = Math.max(last.end, end);
      last.located.push(one);
    } else {
      stretches.push({ from: frameOffset, end, located: [one] });
    }
  }
  return stretches;
}

/** In the order of the pack: frames and segments are opened once. */
const positionOf = ({ place }: Located): number =>
  place.frameOffset * 2 ** 22 + place.segmentOffset;
