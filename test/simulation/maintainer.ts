/** Somebody with the keys, who forgets and prunes now and then. */
import { isObjectFault } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import type { Identity } from '../../src/crypto/identity.ts';
import { forget } from '../../src/maintenance/forget/forget.ts';
import type { KeepRules } from '../../src/maintenance/forget/retention.ts';
import { revokeMachine } from '../../src/maintenance/machines.ts';
import { prune } from '../../src/maintenance/prune/prune.ts';
import type { RepositoryCache } from '../../src/repository/cache.ts';
import { openWithIdentity, type ReaderRepository } from '../../src/repository/open.ts';
import { readHistory } from '../../src/repository/history.ts';
import type { WriterId } from '../../src/format/names.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { RETRY_LIMITS, retryStore } from '../../src/store/retry-store.ts';
import type { Dice } from './dice.ts';
import type { Grants } from './grants.ts';
import { CacheDisk } from './memory-cache.ts';
import type { Process } from './world.ts';

const NO_ABORT = new AbortController().signal;

export type MaintainerParts = {
  readonly repository: string;
  readonly identity: Identity;
  readonly grants: Grants;
  readonly dice: Dice;
  readonly graceMs: number;
  readonly keepLast: number;
  readonly keepMore?: KeepRules;
  /** Before every prune. */
  readonly repacks?: (repository: ReaderRepository) => Promise<void>;
};

export class Maintainer {
  readonly #parts: MaintainerParts;
  readonly #cache = new CacheDisk();

  constructor(parts: MaintainerParts) {
    this.#parts = parts;
  }

  async run(way: ObjectStore, process: Process): Promise<void> {
    const { dice } = this.#parts;
    const repository = await this.open(way, process);
    const random = (length: number): Uint8Array => dice.noise(length);
    const deps = { repository, random, emit };
    try {
      const rules = { ...this.#parts.keepMore, last: this.#parts.keepLast };
      const history = await readHistory(repository, emit, NO_ABORT);
      const { left } = await forget({ history, rules }, deps, NO_ABORT);
      if (left.length === 0) this.#parts.grants.noneIsOverdue(process);
      await this.#parts.repacks?.(repository);
      await prune({ graceMs: this.#parts.graceMs }, deps, NO_ABORT);
      process.count('prunes');
    } catch (error) {
      // It refused, and nothing was deleted: a listing that lags shows snapshots that were forgotten a moment ago, and
      // rot may fall upon the id in a list's header, which then looks like one that was swapped (seed 4087).
      if (!isObjectFault(error)) throw error;
      // Because a snapshot did not tell what it needs.
      process.count('prunes that stopped');
    }
  }

  /** Says of a machine that it was stolen; what it has stored until now counts all the same. */
  async revoke(way: ObjectStore, process: Process, writer: WriterId): Promise<void> {
    const repository = await this.open(way, process);
    const { snapshots } = await readHistory(repository, emit, NO_ABORT);
    const counted = snapshots
      .filter((one) => one.writer === writer)
      .map(({ cover: { sequence }, digest }) => ({ sequence, digest }));
    await revokeMachine(repository, writer, counted, NO_ABORT);
  }

  #retrying(way: ObjectStore, process: Process): ObjectStore {
    const { dice } = this.#parts;
    const retry = { clock: process.clock, random: () => dice.fraction(), emit };
    return retryStore(way, retry, RETRY_LIMITS);
  }

  open(way: ObjectStore, process: Process): Promise<ReaderRepository> {
    const store = this.#retrying(way, process);
    const { repository: id, identity } = this.#parts;
    const cacheOf = (): RepositoryCache => this.#cache.open();
    return openWithIdentity(store, { id, identity }, undefined, cacheOf, emit, NO_ABORT);
  }
}

const emit = (_event: FerryEvent): void => {};
