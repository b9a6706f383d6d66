/** A machine that pushes every night: real commit, indexes and cache; what it captures is made up. */
import { toHex } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { idFromBytes, writerObjectName, type ObjectId } from '../../src/format/names.ts';
import type { IndexedPack } from '../../src/format/index-object.ts';
import type { ListedPack } from '../../src/format/pack-list.ts';
import type { SnapshotBody } from '../../src/format/snapshot.ts';
import { commitSnapshot } from '../../src/push/commit.ts';
import { pushInRounds, type Round } from '../../src/push/rounds.ts';
import { indexKeys } from '../../src/push/pack-uploader.ts';
import { ownPacks, writeIndex } from '../../src/repository/indexes.ts';
import {
  installKeys,
  writerOf,
  type MachineState,
  type Writer,
} from '../../src/repository/machine.ts';
import { openForWriting, type WriterRepository } from '../../src/repository/open.ts';
import { RETRY_LIMITS, retryStore } from '../../src/store/retry-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { bareBody } from '../support/snapshot-body.ts';
import { chunksIn, sealPack, type Content } from './content.ts';
import type { Dice } from './dice.ts';
import type { Ledger } from './ledger.ts';
import { CacheDisk } from './memory-cache.ts';
import type { Process } from './world.ts';

const NO_ABORT = new AbortController().signal;
const CHUNKS_PER_PACK = 6;

export type MachineParts = {
  readonly name: string;
  readonly state: MachineState;
  readonly content: Content;
  readonly dice: Dice;
  readonly ledger: Ledger;
  /** What the settings keep of what is saved: all of it, unless a rule is broken on purpose. */
  readonly saved: (state: MachineState) => MachineState;
  /** What a snapshot tells of its chunks: all of them, unless a rule is broken on purpose. */
  readonly told: (chunks: readonly string[]) => readonly string[];
};

export class Machine {
  readonly name: string;
  readonly writer: Writer;
  readonly cache = new CacheDisk();
  readonly content: Content;
  readonly #dice: Dice;
  readonly #ledger: Ledger;
  readonly #saved: MachineParts['saved'];
  readonly #told: MachineParts['told'];
  /** As its settings have it. */
  state: MachineState;
  /** Ids of what the running push captured. */
  capturing: readonly string[] = [];
  #saidNotWhole = false;
  /** When it landed another machine's install. */
  landedMs = -Infinity;

  constructor(parts: MachineParts) {
    this.name = parts.name;
    this.state = parts.state;
    this.writer = writerOf(parts.state);
    this.content = parts.content;
    this.#dice = parts.dice;
    this.#ledger = parts.ledger;
    this.#saved = parts.saved;
    this.#told = parts.told;
  }

  retrying(way: ObjectStore, process: Process): ObjectStore {
    const emit = (event: FerryEvent): void => this.#hear(event);
    const deps = { clock: process.clock, random: () => this.#dice.fraction(), emit };
    return retryStore(way, deps, RETRY_LIMITS);
  }

  /** The loop of `push`, with a capture that costs nothing. Answers the snapshot. */
  async push(way: ObjectStore, process: Process): Promise<ObjectId> {
    const emit = (event: FerryEvent): void => this.#hear(event);
    const store = this.retrying(way, process);
    this.#saidNotWhole = false;
    const cache = this.cache.open();
    const memory = this.#memory(process);
    const repository = await openForWriting(store, memory, cache, emit, NO_ABORT);
    const random = (length: number): Uint8Array => this.#dice.noise(length);
    const deps = { repository, random, emit };
    const { chunks } = this.content;
    let rounds = 0;
    const once = async (gone: ReadonlySet<string>): Promise<Round> => {
      if (++rounds === 1) this.capturing = chunks;
      const { packs, known } = await this.#archive(repository, chunks, gone, emit);
      const request = {
        packs,
        known,
        install: 'openclaw',
        label: undefined,
        files: chunks.length,
        bytes: 0,
        body: bodyOf(repository.writer, this.#told(chunks)),
      };
      return { packs, known, committed: await commitSnapshot(request, deps, NO_ABORT) };
    };
    const { committed } = await pushInRounds(deps, once, NO_ABORT);
    cache.flush();
    process.count(rounds === 1 ? 'pushes' : 'pushes that had to store something again');
    return committed.mark.snapshot as ObjectId;
  }

  /** Stores what no known pack has. Answers the packs that these chunks need, and those known before. */
  async #archive(
    repository: WriterRepository,
    chunks: readonly string[],
    gone: ReadonlySet<string>,
    emit: (event: FerryEvent) => void,
  ): Promise<{ readonly packs: ListedPack[]; readonly known: ListedPack[] }> {
    const { store, cache } = repository;
    const keys = indexKeys(repository);
    const { chunkId } = installKeys(repository.writer, 'openclaw');
    const own = await ownPacks(store, keys, chunkId, { cache, gone }, emit, NO_ABORT);
    const isThere = ({ writer, pack }: IndexedPack): boolean => !gone.has(writer + pack);
    const wanted = new Set(chunks);
    const places = new Map<string, IndexedPack>();
    const known = gone.size === 0 ? own.packs : own.packs.filter(isThere);
    for (const pack of known) {
      for (const chunk of chunksIn(pack)) if (wanted.has(chunk)) places.set(chunk, pack);
    }
    const unindexed = own.unindexed.filter(isThere);
    const missing = chunks.filter((id) => !places.has(id));
    for (let at = 0; at < missing.length; at += CHUNKS_PER_PACK) {
      const object = idFromBytes<ObjectId>(this.#dice.noise(16));
      const part = missing.slice(at, at + CHUNKS_PER_PACK);
      const { pack, bytes } = sealPack(repository, object, part, this.content.perSegment);
      const name = writerObjectName('packs', pack.writer, pack.pack);
      this.#ledger.sealed(name, chunksIn(pack));
      await store.put(name, bytes, {}, NO_ABORT);
      unindexed.push(pack);
      cache.addPack(repository.writer.id, pack, false);
      cache.flush();
      for (const chunk of chunksIn(pack)) places.set(chunk, pack);
    }
    if (unindexed.length > 0) {
      await writeIndex(store, keys, unindexed, (length) => this.#dice.noise(length), NO_ABORT);
      cache.markIndexed(repository.writer.id, unindexed);
    }
    const used = new Set<IndexedPack>();
    for (const id of chunks) {
      const place = places.get(id);
      if (!place) throw new FerryError('bug', 'a chunk was stored nowhere');
      used.add(place);
    }
    return { packs: [...used], known };
  }

  /** Settings that see C4 happen: the mark moves to the snapshot that was pending. */
  #memory(process: Process): WriterRepository['memory'] {
    const current = (): MachineState => this.state;
    const save = (state: MachineState): Promise<void> => {
      const { pending } = this.state;
      const mark = state.highWater[this.writer.id];
      this.state = this.#saved(state);
      const isDone = pending && !state.pending && mark?.snapshot === pending.snapshot;
      if (isDone && !this.#saidNotWhole) {
        const snapshot = pending.snapshot as ObjectId;
        const name = writerObjectName('snapshots', this.writer.id, snapshot);
        this.#ledger.committed(name, process, this.landedMs);
      }
      this.#saidNotWhole = false;
      return Promise.resolve();
    };
    return {
      get state() {
        return current();
      },
      save,
    };
  }

  #hear(event: FerryEvent): void {
    if (event.type !== 'notice' || event.code !== 'push-unfinished') return;
    this.#saidNotWhole = event.message.includes('not whole');
  }
}

/** In the place of trees: the ids of all its chunks. */
function bodyOf(writer: Writer, chunks: readonly string[]): SnapshotBody {
  const { chunkId, isAdopted } = installKeys(writer, 'openclaw');
  const body = { ...BODY, gateway: { chunks: [...chunks] } };
  return isAdopted ? { ...body, chunkIdKey: toHex(chunkId) } : body;
}

const BODY = bareBody('/home/mara');
