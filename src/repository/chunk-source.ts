/**
 * Single chunks for the main thread: tree and list pages, and files that are looked at one by one. Every
 * candidate location is tried, every chunk is checked against its id.
 */
import { allEnded } from '../base/all-ended.ts';
import { assert, FerryError, isObjectFault, messageOf } from '../base/errors.ts';
import { recall, remember } from '../base/newest.ts';
import { decompress } from '../codec/zstd.ts';
import {
  CHUNK_KINDS,
  chunkId,
  chunkIdKey,
  type ChunkIdKey,
  type ChunkKind,
} from '../crypto/chunk-id.ts';
import { openFrame, type ObjectKey } from '../crypto/frames.ts';
import type { ChunkPlace } from '../format/chunk-place.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import type { IndexedPack } from '../format/index-object.ts';
import type { ListedPack } from '../format/pack-list.ts';
import { CODECS } from '../format/pack.ts';
import type { ChunkTable } from '../workers/chunk-table.ts';
import { KnownPlaces } from './known-places.ts';
import { damaged } from './objects.ts';
import type { PackSource } from './open.ts';
import { packKey, packName, readRange } from './pack-reader.ts';

const LIMITS = {
  regions: 4,
  /** About 256 KiB each: small files of many nights are asked for by turns. */
  frames: 24,
  segments: 8,
  windowBytes: 1024 * 1024,
} as const;

type Region = { readonly ordinal: number; readonly offset: number; readonly bytes: Uint8Array };

export class ChunkSource {
  readonly #repository: PackSource;
  readonly #packs: readonly IndexedPack[];
  readonly #chunks: { readonly table: ChunkTable };
  readonly #chunkIdKey: ChunkIdKey;
  readonly #keys = new Map<number, ObjectKey>();
  readonly #places = new KnownPlaces();
  /** The newest first; a tree is read in several places of a pack by turns. */
  #regions: readonly Region[] = [];
  readonly #frames = new Map<string, Buffer>();
  readonly #segments = new Map<string, Buffer>();
  readonly #rebuild: () => Promise<boolean>;
  /** Packs of which something came damaged. */
  readonly #readAgain = new Set<number>();

  /** @param rebuild asked when a chunk is not to be had; true: `packs` and `chunks` say something else now */
  constructor(
    repository: PackSource,
    packs: readonly IndexedPack[],
    chunks: { readonly table: ChunkTable },
    idSubkey: Uint8Array,
    rebuild: () => Promise<boolean> = () => Promise.resolve(false),
  ) {
    this.#rebuild = rebuild;
    this.#repository = repository;
    this.#packs = packs;
    this.#chunks = chunks;
    this.#chunkIdKey = chunkIdKey(idSubkey);
  }

  /** @throws object-missing, object-damaged: the last reason when every place it might be at failed */
  async get(kind: ChunkKind, id: Buffer, signal: AbortSignal): Promise<Buffer> {
    try {
      return await this.#getOnce(kind, id, signal);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      if (!(await this.#rebuild())) throw error;
      this.letGo();
      return await this.#getOnce(kind, id, signal);
    }
  }

  /** Gives back what was read and may be wanted once more. */
  letGo(): void {
    this.#keys.clear();
    this.#places.clear();
    this.#frames.clear();
    this.#segments.clear();
    this.#regions = [];
  }

  async #getOnce(kind: ChunkKind, id: Buffer, signal: AbortSignal): Promise<Buffer> {
    let failure: FerryError | undefined;
    const { table } = this.#chunks;
    for (let slot = table.find(id); slot >= 0; slot = table.findNext(slot, id)) {
      try {
        return await this.#twiceFrom(table.packOf(slot), kind, id, signal);
      } catch (error) {
        if (!isObjectFault(error)) throw error;
        failure = error;
      }
    }
    if (failure) throw failure;
    throw new FerryError('object-missing', 'a chunk that the snapshot needs is in no pack');
  }

  /** A byte may have changed on its way here. What is damaged where it lies is not fetched twice for every chunk. */
  async #twiceFrom(
    ordinal: number,
    kind: ChunkKind,
    id: Buffer,
    signal: AbortSignal,
  ): Promise<Buffer> {
    try {
      return await this.#verifiedFrom(ordinal, kind, id, signal);
    } catch (error) {
      const isDamage = isObjectFault(error) && error.code === 'object-damaged';
      if (!isDamage || this.#readAgain.has(ordinal)) throw error;
      this.#readAgain.add(ordinal);
      this.letGo();
      return await this.#verifiedFrom(ordinal, kind, id, signal);
    }
  }

  async #verifiedFrom(
    ordinal: number,
    kind: ChunkKind,
    id: Buffer,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const chunk = await this.#from(ordinal, kind, id, signal);
    if (chunkId(this.#chunkIdKey, kind, chunk).equals(id)) return chunk;
    throw damaged('a chunk', 'its content does not match its id');
  }

  async #from(ordinal: number, kind: ChunkKind, id: Buffer, signal: AbortSignal): Promise<Buffer> {
    const pack = this.#packs[ordinal];
    assert(pack, 'the table names packs that are there');
    const place = this.#places.in(ordinal, pack).get(id);
    if (!place)
      throw damaged(packName(pack), 'it does not hold a chunk that an index says is in it');
    const at = { ordinal, pack, windowFrom: windowFrom(kind, place, pack) };
    const segmentName = `${ordinal} ${place.frameOffset} ${place.segmentOffset}`;
    let raw = this.#segments.get(segmentName);
    if (!raw) {
      raw = await this.#segment(at, place, signal);
      remember(this.#segments, segmentName, raw, LIMITS.segments);
    }
    return raw.subarray(place.offset, place.offset + place.length);
  }

  async #segment(at: At, place: ChunkPlace, signal: AbortSignal): Promise<Buffer> {
    const plain = await this.#frame(at, place, signal);
    const segment = plain.subarray(place.segmentOffset, place.segmentOffset + place.segmentStored);
    if (place.codec === CODECS.stored) return segment;
    try {
      return decompress(segment, place.segmentRaw);
    } catch (error) {
      throw damaged(packName(at.pack), messageOf(error));
    }
  }

  /** Opened once for the segments that are asked for one after the other. */
  async #frame(at: At, place: ChunkPlace, signal: AbortSignal): Promise<Buffer> {
    const frameName = `${at.ordinal} ${place.frameOffset}`;
    const known = recall(this.#frames, frameName);
    if (known) return known;
    const bytes = this.#bytes(at, place.frameOffset, place.frameStored, signal);
    // Asked for at once, but where the window brings the header along.
    if (at.windowFrom === 0) await bytes;
    const [stored, key] = await allEnded([bytes, this.#key(at, signal)]);
    const plain = openFrame(key, place.frame, false, stored);
    if (!plain) throw damaged(packName(at.pack), `its frame ${place.frame} does not open`);
    remember(this.#frames, frameName, plain, LIMITS.frames);
    return plain;
  }

  async #key({ ordinal, pack }: At, signal: AbortSignal): Promise<ObjectKey> {
    const known = this.#keys.get(ordinal);
    if (known) return known;
    const { store } = this.#repository;
    const header =
      this.#fetched(ordinal, 0, SEALED_HEADER_BYTES) ??
      (await readRange(store, packName(pack), 0, SEALED_HEADER_BYTES, signal));
    const key = packKey(this.#repository, pack, header);
    this.#keys.set(ordinal, key);
    return key;
  }

  async #bytes(
    { ordinal, pack, windowFrom }: At,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const known = this.#fetched(ordinal, offset, length);
    if (known) return known;
    // Who reads on from one window to the next has what lies before it.
    const readsOn = this.#regions.some((region) => holds(region, ordinal, offset, 0));
    const from = readsOn ? offset : windowFrom;
    const end = Math.min(Math.max(offset + length, from + LIMITS.windowBytes), pack.size);
    if (end < offset + length) {
      throw damaged(packName(pack), 'it is shorter than its directory says');
    }
    const bytes = await readRange(this.#repository.store, packName(pack), from, end - from, signal);
    this.#regions = [{ ordinal, offset: from, bytes }, ...this.#regions].slice(0, LIMITS.regions);
    return bytes.subarray(offset - from, offset - from + length);
  }

  #fetched(ordinal: number, offset: number, length: number): Uint8Array | undefined {
    const region = this.#regions.find((one) => holds(one, ordinal, offset, length));
    const from = offset - (region?.offset ?? 0);
    return region?.bytes.subarray(from, from + length);
  }
}

const holds = (region: Region, ordinal: number, offset: number, length: number): boolean =>
  region.ordinal === ordinal &&
  region.offset <= offset &&
  offset + length <= region.offset + region.bytes.length;

/** Where something lies, and from where on the pack is read for it. */
type At = {
  readonly ordinal: number;
  readonly pack: IndexedPack;
  readonly windowFrom: number;
};

/**
 * What is needed next lies behind a piece of a file; the pages of a tree lie together at the end of a pack, and the top
 * ones come last. A header that is near is read along.
 */
function windowFrom(kind: ChunkKind, { frameOffset }: ChunkPlace, { size }: ListedPack): number {
  if (frameOffset < LIMITS.windowBytes / 2) return 0;
  if (kind === CHUNK_KINDS.data) return frameOffset;
  const from = Math.min(frameOffset - LIMITS.windowBytes / 2, size - LIMITS.windowBytes);
  return Math.max(0, from);
}
