/** Copies what lives, pack by pack, and says so in records: the part of a repack that stores. */
import { assert, FerryError, isObjectFault } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { inLanes } from '../../base/lanes.ts';
import { chunkIdKey, type ChunkIdKey } from '../../crypto/chunk-id.ts';
import { publicHalves } from '../../crypto/identity.ts';
import type { Random } from '../../crypto/sodium.ts';
import { SEALED_HEADER_BYTES } from '../../format/header.ts';
import type { IndexedPack } from '../../format/index-object.ts';
import type { ObjectId, WriterId } from '../../format/names.ts';
import type { ListedPack } from '../../format/pack-list.ts';
import type { RepackRecord } from '../../format/repack-record.ts';
import { writeIndex } from '../../repository/indexes.ts';
import { damaged } from '../../repository/objects.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { openDirectory, packKey, packName } from '../../repository/pack-reader.ts';
import { writeRepackRecord } from '../../repository/repack-records.ts';
import { readTombstones } from '../../repository/tombstones.ts';
import { PIPELINE } from '../../workers/limits.ts';
import {
  agreedDirectory,
  holds,
  livingFrames,
  Scratch,
  type LivingFrame,
  type ReadPack,
} from './emptied-pack.ts';
import type { LivingChunks, NeededPack } from './living-chunks.ts';
import { NewPack } from './new-packs.ts';
import type { RepackChoice } from './repack-plan.ts';

/** What a kill costs at most: as many new packs as a push may lose without its cache. */
const PACKS_PER_RECORD = 16;
const LOOKS_AT_ONCE = 8;

export type RunDeps = {
  readonly repository: ReaderRepository;
  readonly random: Random;
  readonly emit: Emit;
};

export type RunDone = {
  /** Packs that no snapshot needs any more. */
  readonly emptied: number;
  readonly made: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
};

type Emptied = { readonly needed: NeededPack; readonly into: ReadonlySet<ObjectId> };

/** Packs of one group at a time: of one machine's folder, with ids under the same keys. */
export class RepackRun {
  readonly #deps: RunDeps;
  readonly #living: LivingChunks;
  readonly #plan: RepackChoice;
  /** For one old pack and for one new one, over and over. */
  readonly #read: Uint8Array;
  readonly #written = Buffer.alloc(PIPELINE.packBytes);
  readonly #scratch = new Scratch();
  /** A new pack may be full while a frame waits in the other one. */
  readonly #proofScratch = new Scratch();
  #open: NewPack | undefined;
  #keys: readonly ChunkIdKey[] = [];
  #stored: IndexedPack[] = [];
  #emptied: Emptied[] = [];
  #packsDone = 0;
  done: RunDone = { emptied: 0, made: 0, bytesRead: 0, bytesStored: 0 };

  constructor(deps: RunDeps, living: LivingChunks, plan: RepackChoice) {
    this.#deps = deps;
    this.#living = living;
    this.#plan = plan;
    this.#read = Buffer.alloc(Math.max(0, ...plan.chosen.map(({ pack }) => pack.size)));
  }

  /** Of one that is damaged, or that says something else of itself than an index does, nothing is moved. */
  async empty(name: string, signal: AbortSignal): Promise<void> {
    const needed = this.#living.needed.get(name);
    assert(needed, 'a pack that was chosen is needed');
    this.#keys = [...needed.chunkIdKeys.values()].map(chunkIdKey);
    const into = await this.#move(name, needed, signal);
    if (into) this.#emptied.push({ needed, into });
    this.#progress();
    if (this.#stored.length >= PACKS_PER_RECORD) await this.commit(signal);
  }

  /** From here on what was moved need not be moved again. */
  async commit(signal: AbortSignal): Promise<void> {
    await this.#close(signal);
    const [packs, emptied] = [this.#stored, this.#emptied];
    [this.#stored, this.#emptied] = [[], []];
    const sound = await this.#soundOf(packs, signal);
    const whole = emptied.filter(({ into }) => [...into].every((id) => sound.has(id)));
    const [first] = whole;
    if (!first) return;
    const used = new Set(whole.flatMap(({ into }) => [...into]));
    const kept = packs.filter(({ pack }) => used.has(pack));
    // Hints first: whoever hears that the old packs will go finds the new ones.
    await this.#index(kept, whole, signal);
    const { repository, random } = this.#deps;
    const record = recordOf(first.needed.pack.writer, kept, whole);
    await writeRepackRecord(repository, record, random, signal);
    const { done } = this;
    this.done = {
      ...done,
      emptied: done.emptied + whole.length,
      made: done.made + kept.length,
    };
  }

  /** Undefined: not all that lives in it could be had. What went into a new pack until then is nobody's there. */
  async #move(
    name: string,
    needed: NeededPack,
    signal: AbortSignal,
  ): Promise<ReadonlySet<ObjectId> | undefined> {
    const into = new Set<ObjectId>();
    const faults: FerryError[] = [];
    for await (const frame of this.#framesOf(name, needed, faults, signal)) {
      if (this.#open?.add(frame) !== true) {
        await this.#close(signal);
        this.#open = this.#newPack(needed.pack.writer);
        assert(this.#open.add(frame), 'a frame fits an empty pack');
      }
      into.add(this.#open.id);
    }
    for (const { code, message } of faults) {
      const left = `${message}; it is left as it is`;
      this.#deps.emit({ type: 'problem', path: name, code, message: left });
    }
    return faults.length === 0 ? into : undefined;
  }

  async *#framesOf(
    name: string,
    needed: NeededPack,
    faults: FerryError[],
    signal: AbortSignal,
  ): AsyncGenerator<LivingFrame> {
    try {
      const bytes = await this.#load(name, needed.pack, signal);
      const own = await this.#opened(needed.pack, bytes);
      const directory = agreedDirectory([own.directory, ...needed.directories]);
      if (!directory) throw damaged(name, 'an index says something else of it than it does itself');
      yield* livingFrames({ ...own, directory }, this.#living.has, this.#keys, this.#scratch);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      faults.push(error);
    }
  }

  async #load(name: string, { size }: ListedPack, signal: AbortSignal): Promise<Uint8Array> {
    const { store } = this.#deps.repository;
    const into = this.#read.subarray(0, size);
    const answer = await store.getInto(name, undefined, into, signal);
    if (!answer)
      throw new FerryError('object-missing', `${name} is missing from ${store.location}`);
    this.done = { ...this.done, bytesRead: this.done.bytesRead + answer.length };
    if (answer.length !== size) throw damaged(name, 'it has another size than before');
    return into;
  }

  async #opened(pack: ListedPack, bytes: Uint8Array): Promise<ReadPack> {
    const { repository } = this.#deps;
    const name = packName(pack);
    const objectKey = packKey(repository, pack, bytes.subarray(0, SEALED_HEADER_BYTES));
    const { directory } = await openDirectory(repository, pack, (offset, length) => {
      if (offset + length > bytes.length) throw damaged(name, 'it is shorter than recorded');
      return bytes.subarray(offset, offset + length);
    });
    return { name, bytes, objectKey, directory };
  }

  #newPack(writer: WriterId): NewPack {
    const { repository, random } = this.#deps;
    const { recipient } = publicHalves(repository.identity);
    const place = { repository: repository.id, writer, recipient };
    return new NewPack(place, this.#written, random);
  }

  /**
   * Opened as any reader opens it before it is stored, and held against what was verified: what was moved by its word
   * is deleted some day.
   */
  async #close(signal: AbortSignal): Promise<void> {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    const { pack, bytes, crc32, frameCrcs } = open.close();
    const own = await this.#opened(pack, bytes);
    const isSame = Buffer.compare(own.directory, pack.directory) === 0;
    assert(isSame && holds(own, frameCrcs, this.#proofScratch), 'a new pack holds what was put in');
    const { store } = this.#deps.repository;
    await store.put(packName(pack), bytes, { crc32, isFresh: true }, signal);
    this.#stored.push(pack);
    this.done = { ...this.done, bytesStored: this.done.bytesStored + bytes.length };
  }

  /** A machine that slept may find that what it stored was announced, or swept as nobody's. */
  async #soundOf(
    packs: readonly IndexedPack[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<ObjectId>> {
    const { repository, emit } = this.#deps;
    const { store, id, identity } = repository;
    const { root } = publicHalves(identity);
    const tombstones = await readTombstones({ store, id, root }, emit, signal);
    const announced = new Set(tombstones.flatMap(({ condemned }) => condemned));
    const sound = new Set<ObjectId>();
    await inLanes(packs, LOOKS_AT_ONCE, signal, async (pack) => {
      const there = await store.stat(packName(pack), signal);
      if (there?.size === pack.size && !announced.has(packName(pack))) sound.add(pack.pack);
    });
    return sound;
  }

  /** For every machine whose snapshots need them: its next push then finds their chunks. */
  async #index(
    packs: readonly IndexedPack[],
    emptied: readonly Emptied[],
    signal: AbortSignal,
  ): Promise<void> {
    const { repository, random } = this.#deps;
    const { store, id: repositoryId, writers } = repository;
    for (const writer of new Set(emptied.flatMap(({ needed }) => [...needed.writers]))) {
      const into = new Set(
        emptied.flatMap((one) => (one.needed.writers.has(writer) ? [...one.into] : [])),
      );
      const named = packs.filter(({ pack }) => into.has(pack));
      const key = writers.get(writer)?.subkeys.index;
      if (!key || named.length === 0) continue;
      await writeIndex(store, { repository: repositoryId, writer, key }, named, random, signal);
    }
  }

  #progress(): void {
    this.#packsDone += 1;
    this.#deps.emit({
      type: 'progress',
      stage: 'repack',
      bytesDone: this.done.bytesRead,
      bytesTotal: this.#plan.readBytes,
      filesDone: this.#packsDone,
      filesTotal: this.#plan.chosen.length,
      bytesStored: this.done.bytesStored,
      totalsKnown: true,
    });
  }
}

function recordOf(
  writer: WriterId,
  packs: readonly IndexedPack[],
  emptied: readonly Emptied[],
): RepackRecord {
  const sorted = packs.toSorted(byPack).map(({ pack, size }) => ({ pack, size }));
  const positions = new Map(sorted.map(({ pack }, at) => [pack, at]));
  const positionOf = (id: ObjectId): number => {
    const at = positions.get(id);
    assert(at !== undefined, 'what was moved went into one of these packs');
    return at;
  };
  return {
    writer,
    snapshots: [...new Set(emptied.flatMap(({ needed }) => [...needed.snapshots]))].toSorted(),
    packs: sorted,
    emptied: emptied
      .map(({ needed, into }) => ({
        pack: needed.pack.pack,
        into: [...into].map(positionOf).toSorted((a, b) => a - b),
      }))
      .toSorted(byPack),
  };
}

const byPack = (a: { readonly pack: ObjectId }, b: { readonly pack: ObjectId }): number =>
  a.pack < b.pack ? -1 : 1;
