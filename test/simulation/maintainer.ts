/** Somebody with the keys, who forgets and prunes now and then. */
import { FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import { prune } from '../../src/maintenance/prune.ts';
import { objectKeysOf, type ReaderRepository } from '../../src/repository/open.ts';
import { listSnapshots } from '../../src/repository/snapshot-list.ts';
import { readWriterRecords } from '../../src/repository/writers.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { RETRY_LIMITS, retryStore } from '../../src/store/retry-store.ts';
import type { Dice } from './dice.ts';
import { CacheDisk } from './memory-cache.ts';
import type { Process } from './world.ts';

const NO_ABORT = new AbortController().signal;

export type MaintainerParts = {
  readonly repository: string;
  readonly identity: Identity;
  readonly dice: Dice;
  readonly graceMs: number;
  readonly keepLast: number;
};

export class Maintainer {
  readonly #parts: MaintainerParts;
  readonly #cache = new CacheDisk();
  prunesDone = 0;
  /** Prunes that stopped because a snapshot did not tell what it needs. */
  prunesStopped = 0;

  constructor(parts: MaintainerParts) {
    this.#parts = parts;
  }

  async run(way: ObjectStore, process: Process): Promise<void> {
    const { dice } = this.#parts;
    const retry = { clock: process.clock, random: () => dice.fraction(), emit };
    const store = retryStore(way, retry, RETRY_LIMITS);
    const repository = await this.#open(store);
    await this.#forget(repository);
    const random = (length: number): Uint8Array => dice.noise(length);
    try {
      await prune({ graceMs: this.#parts.graceMs }, { repository, random, emit }, NO_ABORT);
      this.prunesDone += 1;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.prunesStopped += 1;
    }
  }

  async #open(store: ObjectStore): Promise<ReaderRepository> {
    const { repository: id, identity } = this.#parts;
    const { writers } = await readWriterRecords(store, id, identity, NO_ABORT);
    const cache = this.#cache.open();
    return { store, id, identity, writers, objectKey: objectKeysOf(identity), cache };
  }

  async #forget(repository: ReaderRepository): Promise<void> {
    const snapshots = await listSnapshots(repository, emit, NO_ABORT);
    for (const own of Map.groupBy(snapshots, ({ writer }) => writer).values()) {
      const old = own.toSorted((a, b) => b.cover.sequence - a.cover.sequence);
      for (const { name } of old.slice(this.#parts.keepLast)) {
        await repository.store.delete(name, NO_ABORT);
      }
    }
  }
}

const emit = (_event: FerryEvent): void => {};

/** "Nothing is deleted": a listing that lags shows snapshots that were forgotten a moment ago. */
const isUnreadable = (error: unknown): boolean =>
  error instanceof FerryError &&
  (error.code === 'object-missing' || error.code === 'object-damaged');
