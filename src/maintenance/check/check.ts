/**
 * check: is everything that the snapshots need there, whole and ours? Structure always; with data, packs are read
 * and every chunk in them is checked against its id. Every problem is named by object and by what it costs.
 */
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { together } from '../../base/lanes.ts';
import { countText } from '../../base/quantity-text.ts';
import { publicHalves } from '../../crypto/identity.ts';
import type { WriterId } from '../../format/names.ts';
import type { ListedPack } from '../../format/pack-list.ts';
import type { ReaderRepository, WriterRepository } from '../../repository/open.ts';
import { packName } from '../../repository/pack-reader.ts';
import { listSnapshots } from '../../repository/snapshot-list.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { readTombstones } from '../../repository/tombstones.ts';
import { listOf, neededBy, noteAbsent, noteNeeders, type NeededPacks } from './check-lists.ts';
import { noteOpening } from './check-opening.ts';
import { PackChecker, type DamagedChunks } from './check-packs.ts';
import {
  correct,
  lookThrough,
  nameLosses,
  openTrees,
  type PackStates,
  type WriterTrees,
} from './check-trees.ts';
import { Faults, type CheckProblem } from './faults.ts';
import { PackKeys } from './pack-keys.ts';
import { nextToRead, rememberedQueue, rememberQueue } from './read-queue.ts';

export type CheckRequest = {
  /** Packs to read: none, or this percentage of them, those first that were not read for longest. */
  readonly readPercent: number;
  /** The store's time. */
  readonly nowMs: number;
};

export type CheckDeps = { readonly emit: Emit };

export type Checked = {
  readonly problems: readonly CheckProblem[];
  /** What of it a repair has announced already: only a push brings it back. Seen by a reader. */
  readonly announced: readonly string[];
  readonly snapshots: number;
  readonly packs: number;
  readonly read: { readonly objects: number; readonly bytes: number };
};

/** A writer can check its own snapshots' structure; a reader everything. */
export async function check(
  repository: ReaderRepository | WriterRepository,
  request: CheckRequest,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<Checked> {
  const found = await examine(repository, request, deps, signal);
  const { faults, snapshots, needed, read } = found;
  const problems = faults.problems();
  return {
    problems,
    announced: await announcedOf(repository, problems, deps, signal),
    snapshots: snapshots.length,
    packs: needed.packs.size,
    read,
  };
}

async function announcedOf(
  repository: ReaderRepository | WriterRepository,
  problems: readonly CheckProblem[],
  { emit }: CheckDeps,
  signal: AbortSignal,
): Promise<string[]> {
  if (problems.length === 0 || !('identity' in repository)) return [];
  const { store, id, identity } = repository;
  const { root } = publicHalves(identity);
  const tombstones = await readTombstones({ store, id, root }, emit, signal);
  const announced = new Set(tombstones.flatMap(({ condemned }) => condemned));
  return problems.map(({ object }) => object).filter((name) => announced.has(name));
}

export type Examined = {
  readonly faults: Faults;
  readonly snapshots: readonly OpenedCover[];
  readonly needed: NeededPacks;
  readonly read: { readonly objects: number; readonly bytes: number };
};

const NOTHING_READ: Examined['read'] = { objects: 0, bytes: 0 };

/** What a check finds, before it is told: repair looks in the same way. */
export async function examine(
  repository: ReaderRepository | WriterRepository,
  request: CheckRequest,
  { emit }: CheckDeps,
  signal: AbortSignal,
): Promise<Examined> {
  const faults = new Faults();
  const snapshots = await covers(repository, faults, emit, signal);
  emit({ type: 'stage', stage: 'check', detail: countText(snapshots.length, 'snapshot') });
  const listed = await packSizes(repository, signal);
  const needed = await neededBy(repository, snapshots, faults, listed, signal);
  const sizes = await noteAbsent(repository.store, faults, needed, listed, signal);
  if (!('identity' in repository)) {
    noteNeeders(faults, needed, snapshots);
    return { faults, snapshots, needed, read: NOTHING_READ };
  }
  const look = new Look(repository, needed, faults, emit);
  await look.open(snapshots, signal);
  let read = NOTHING_READ;
  await together(
    signal,
    (either) => noteOpening(repository, faults, either),
    async (either) => {
      read = await look.through(request, sizes, either);
    },
  );
  await look.losses(snapshots, signal);
  return { faults, snapshots, needed, read };
}

/** Those that cannot be verified take nothing with them but themselves. */
function covers(
  repository: ReaderRepository | WriterRepository,
  faults: Faults,
  emit: Emit,
  signal: AbortSignal,
): Promise<OpenedCover[]> {
  const hear: Emit = (event) => {
    if (event.type !== 'problem') return emit(event);
    faults.add(event.path, event.code, `${event.message}; this snapshot cannot be restored`);
  };
  return listSnapshots(repository, hear, signal);
}

async function packSizes(
  { store }: ReaderRepository | WriterRepository,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { name, size } of store.list('packs/', signal)) sizes.set(name, size);
  return sizes;
}

/** What only a reader can look at. */
class Look {
  readonly #repository: ReaderRepository;
  readonly #needed: NeededPacks;
  readonly #faults: Faults;
  readonly #emit: Emit;
  /** Missing, or of another size. */
  readonly #bad: ReadonlySet<string>;
  readonly #trees: WriterTrees[] = [];
  readonly #damaged = new Map<string, DamagedChunks>();
  #isMissing = false;

  constructor(repository: ReaderRepository, needed: NeededPacks, faults: Faults, emit: Emit) {
    this.#repository = repository;
    this.#needed = needed;
    this.#faults = faults;
    this.#emit = emit;
    this.#bad = new Set([...needed.packs.keys()].filter((name) => faults.has(name)));
  }

  async open(snapshots: readonly OpenedCover[], signal: AbortSignal): Promise<void> {
    const repository = this.#repository;
    for (const [id, own] of Map.groupBy(snapshots, ({ writer }) => writer)) {
      const writer = repository.writers.get(id);
      if (!writer) throw new FerryError('bug', 'a listed snapshot has a known writer');
      const packs = this.#packsOf(id);
      this.#trees.push(await openTrees(repository, writer, own, packs, this.#faults, signal));
    }
  }

  /** The trees by this thread, while the others read packs: each as soon as a snapshot has told its key. */
  async through(
    request: CheckRequest,
    sizes: ReadonlyMap<string, number>,
    signal: AbortSignal,
  ): Promise<Examined['read']> {
    const { chosen, remember } = this.#turn(request, sizes);
    const keys = new PackKeys(this.#needed, chosen);
    if (chosen.length === 0) {
      await this.#lookThrough(keys, signal);
      return NOTHING_READ;
    }
    const bytes = chosen.map((name) => sizes.get(name) ?? 0);
    const total = bytes.reduce((sum, size) => sum + size, 0);
    const planned = {
      objects: chosen.length,
      total,
      largest: bytes.reduce((most, size) => Math.max(most, size)),
    };
    const checker = new PackChecker(this.#repository, this.#emit, planned);
    try {
      await together(
        signal,
        (either) => this.#lookThrough(keys, either),
        (either) => this.#readPacks(checker, keys, either),
      );
    } finally {
      await checker.close();
    }
    remember();
    return { objects: checker.objects, bytes: checker.bytes };
  }

  async losses(snapshots: readonly OpenedCover[], signal: AbortSignal): Promise<void> {
    const isLacking = this.#trees.some(({ shelf }) => shelf.absent.size > 0);
    const isAnyLost = this.#isMissing || isLacking || this.#damaged.size > 0;
    for (const trees of isAnyLost ? this.#trees : []) {
      await nameLosses(this.#repository, trees, this.#states, this.#faults, signal);
    }
    noteNeeders(this.#faults, this.#needed, snapshots);
  }

  /** The packs whose turn it is, of those that are there. */
  #turn(
    { readPercent, nowMs }: CheckRequest,
    sizes: ReadonlyMap<string, number>,
  ): { readonly chosen: readonly string[]; readonly remember: () => void } {
    if (readPercent === 0) return { chosen: [], remember: () => undefined };
    const whole = [...this.#needed.packs].filter(
      ([name, { pack }]) => sizes.get(name) === pack.size,
    );
    const names = whole.map(([name]) => name);
    const queue = rememberedQueue(this.#repository);
    const { chosen, next } = nextToRead(names, queue, readPercent, nowMs);
    return { chosen, remember: () => rememberQueue(this.#repository, next) };
  }

  async #lookThrough(keys: PackKeys, signal: AbortSignal): Promise<void> {
    const opened = (key: Uint8Array, cover: OpenedCover): void => keys.opened(key, cover);
    try {
      for (const trees of this.#trees) {
        const isMissing = await lookThrough(this.#repository, trees, this.#states, opened, signal);
        this.#isMissing ||= isMissing;
      }
    } finally {
      keys.complete();
    }
  }

  async #readPacks(checker: PackChecker, keys: PackKeys, signal: AbortSignal): Promise<void> {
    for await (const { pack, chunkIdKey } of keys.ready()) {
      const name = packName(pack);
      await checker.check(pack, chunkIdKey, signal, {
        opened: (directory) => {
          for (const trees of this.#trees) correct(trees, name, directory);
        },
        spoilt: (code, why, chunks) => {
          this.#faults.add(name, code, why);
          this.#damaged.set(name, chunks);
        },
      });
    }
    await checker.finish();
  }

  #packsOf(writer: WriterId): ListedPack[] {
    const all = [...this.#needed.packs.values()];
    return all.filter(({ writers }) => writers.has(writer)).map(({ pack }) => pack);
  }

  readonly #states: PackStates = {
    isBad: (pack) => this.#bad.has(pack),
    isListed: (cover, pack) => this.#needed.sets.includes(listOf(cover), pack),
    isDamaged: (pack, id) => {
      const chunks = this.#damaged.get(pack);
      return chunks === 'all' || chunks?.has(id.toString('latin1')) === true;
    },
  };
}
