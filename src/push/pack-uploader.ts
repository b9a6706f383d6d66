/**
 * Uploads full packs as the workers finish them, writes an index at least every 16 packs or 60 s, and gives the
 * buffers back as new empty packs.
 */
import type { Clock } from '../base/clock.ts';
import { assert } from '../base/errors.ts';
import { fromHex } from '../base/bytes.ts';
import { UnderWay } from '../base/under-way.ts';
import { sealHeader } from '../crypto/sealing.ts';
import type { Random } from '../crypto/sodium.ts';
import { encodeHeader } from '../format/header.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { listedPack, type ListedPack } from '../format/pack-list.ts';
import { idFromBytes, writerObjectName, type ObjectId } from '../format/names.ts';
import { rememberIndexes, writeIndex, type IndexKeys } from '../repository/indexes.ts';
import type { WriterRepository } from '../repository/open.ts';
import type { BuiltPack } from '../workers/pack-builder.ts';
import type { PackPool } from '../workers/pack-pool.ts';

export const INDEX_EVERY = { packs: 16, delayMs: 60_000 } as const;

export type UploaderDeps = {
  readonly repository: WriterRepository;
  readonly pool: PackPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly onStored: (bytes: number) => void;
};

/** Packs by number, the known ones of earlier pushes first. */
export class PackUploader {
  readonly #deps: UploaderDeps;
  readonly #signal: AbortSignal;
  readonly #packs: (ListedPack | { readonly pack: ObjectId })[];
  #unindexed: IndexedPack[];
  #lastIndexMs: number;
  #indexing: Promise<void> = Promise.resolve();
  readonly #underWay: UnderWay;
  bytesStored = 0;

  constructor(
    deps: UploaderDeps,
    known: readonly ListedPack[],
    unindexed: readonly IndexedPack[],
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    // Or whoever waits for a buffer would wait for ever.
    this.#underWay = new UnderWay(() => deps.pool.stop());
    this.#signal = signal;
    this.#packs = [...known];
    this.#unindexed = [...unindexed];
    this.#lastIndexMs = deps.clock.nowMs();
  }

  /** Addresses every buffer of the pool as an empty pack. */
  open(): void {
    for (let buffer = 0; buffer < this.#deps.pool.size; buffer++) this.#address(buffer);
  }

  pack(ordinal: number): ListedPack {
    const pack = this.#packs[ordinal];
    assert(pack && 'size' in pack, `pack ${ordinal} was never finished`);
    return pack;
  }

  /** Called for every pack a worker finishes. */
  take(built: BuiltPack): void {
    this.#underWay.add(this.#upload(built));
  }

  /** Waits for all uploads and writes the last index. @throws the first failure */
  async finish(): Promise<void> {
    await this.#underWay.all();
    if (this.#unindexed.length > 0) this.#writeIndex();
    await this.#underWay.all();
  }

  rethrow(): void {
    this.#underWay.rethrow();
  }

  async #upload(built: BuiltPack): Promise<void> {
    const { repository, pool } = this.#deps;
    const writer = repository.writer.id;
    const id = this.#packs[built.ordinal]?.pack;
    assert(id, 'a pack has its id before it is filled');
    const bytes = pool.bytes(built.buffer).subarray(0, built.length);
    await repository.store.put(
      writerObjectName('packs', writer, id),
      bytes,
      { crc32: built.crc32, isFresh: true },
      this.#signal,
    );
    const pack: IndexedPack = { writer, pack: id, size: built.length, directory: built.directory };
    this.#packs[built.ordinal] = listedPack(pack);
    this.#unindexed.push(pack);
    repository.cache.addPack(writer, pack, false);
    repository.cache.flush();
    this.bytesStored += built.length;
    this.#deps.onStored(built.length);
    this.#address(built.buffer);
    const waitedMs = this.#deps.clock.nowMs() - this.#lastIndexMs;
    if (this.#unindexed.length >= INDEX_EVERY.packs || waitedMs >= INDEX_EVERY.delayMs) {
      this.#writeIndex();
    }
  }

  #writeIndex(): void {
    const packs = this.#unindexed;
    this.#unindexed = [];
    this.#lastIndexMs = this.#deps.clock.nowMs();
    const { repository, random } = this.#deps;
    this.#indexing = this.#indexing.then(async () => {
      const keys = indexKeys(repository);
      const index = await writeIndex(repository.store, keys, packs, random, this.#signal);
      this.bytesStored += index.bytes;
      rememberIndexes(repository.cache, repository.writer.id, [index.name]);
      repository.cache.markIndexed(repository.writer.id, packs);
    });
    this.#underWay.add(this.#indexing);
  }

  #address(buffer: number): void {
    const { repository, pool, random } = this.#deps;
    const object = idFromBytes<ObjectId>(random(16));
    const ordinal = this.#packs.push({ pack: object }) - 1;
    const prefix = encodeHeader({
      kind: 'pack',
      repository: fromHex(repository.id),
      writer: repository.writer.id,
      object,
    });
    pool.freeAs(buffer, { ...sealHeader(repository.recipient, prefix), ordinal });
  }
}

export const indexKeys = (repository: WriterRepository): IndexKeys => ({
  repository: repository.id,
  writer: repository.writer.id,
  key: repository.writer.subkeys.index,
});
