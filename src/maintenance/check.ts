/**
 * check: is everything that the snapshots need there, whole and ours? Structure always; with data, packs are read
 * and every chunk in them is checked against its id. Every problem is named by object and by what it costs.
 */
import { FerryError, isObjectFault, throwIfAborted } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { parseWriterObjectName, writerObjectName } from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import type { ReaderRepository, WriterRepository } from '../repository/open.ts';
import { readPackList } from '../repository/pack-lists.ts';
import { openSnapshot } from '../repository/snapshot-reader.ts';
import { listSnapshots } from '../repository/snapshot-list.ts';
import type { OpenedCover } from '../repository/snapshots.ts';
import { PackChecker } from './check-packs.ts';

export type CheckRequest = {
  /** Packs to read: none, or this percentage of them (a different part every day until all were read). */
  readonly readPercent: number;
  /** The store's time, which decides whose turn it is. */
  readonly nowMs: number;
};

export type CheckDeps = { readonly emit: Emit };

export type CheckProblem = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
};
export type Checked = {
  readonly problems: readonly CheckProblem[];
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
  const run = new CheckRun(repository, deps);
  const covers = await run.covers(signal);
  deps.emit({ type: 'stage', stage: 'check', detail: `${covers.length} snapshots` });
  await run.listPacks(signal);
  for (const cover of covers) await run.checkSnapshot(cover, signal);
  if ('identity' in repository && request.readPercent > 0) {
    await run.readPacks(repository, request, signal);
  }
  return run.summary(covers.length);
}

class CheckRun {
  readonly #repository: ReaderRepository | WriterRepository;
  readonly #deps: CheckDeps;
  readonly #sizes = new Map<string, number>();
  readonly #problems = new Map<string, CheckProblem>();
  /** Packs by name, with the first snapshot that needs them and all that do. */
  readonly #needed = new Map<string, { readonly pack: ListedPack; readonly by: OpenedCover[] }>();
  /** By snapshot: what the chunk ids in its packs are under. */
  readonly #chunkIdKeys = new Map<string, Uint8Array>();
  #read = { objects: 0, bytes: 0 };

  constructor(repository: ReaderRepository | WriterRepository, deps: CheckDeps) {
    this.#repository = repository;
    this.#deps = deps;
  }

  covers(signal: AbortSignal): Promise<OpenedCover[]> {
    const hear: Emit = (event) => {
      if (event.type !== 'problem') return this.#deps.emit(event);
      this.#report(event.path, event.code, `${event.message}; this snapshot cannot be restored`);
    };
    return listSnapshots(this.#repository, hear, signal);
  }

  async listPacks(signal: AbortSignal): Promise<void> {
    for await (const { name, size } of this.#repository.store.list('packs/', signal)) {
      this.#sizes.set(name, size);
    }
  }

  async checkSnapshot(cover: OpenedCover, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const cost = `snapshot ${cover.id.slice(0, 8)} of ${cover.cover.time} cannot be restored`;
    await this.#guard(cover.name, cost, async () => {
      for (const pack of await this.#packsOf(cover, signal)) this.#checkPack(pack, cover);
    });
    const repository = this.#repository;
    if (!('identity' in repository)) return;
    await this.#guard(cover.name, cost, async () => {
      const emit: Emit = (event) => {
        if (event.type === 'notice') this.#report(cover.name, event.code, event.message);
      };
      const snapshot = await openSnapshot(repository, cover, emit, signal);
      this.#chunkIdKeys.set(cover.name, snapshot.chunkIdKey);
      for (const root of snapshot.body.roots) {
        for await (const entry of snapshot.entries(root)) {
          throwIfAborted(signal);
          if (entry.type === 'file' && entry.depth > 0) await snapshot.chunkIds(entry);
        }
      }
    });
  }

  async readPacks(
    repository: ReaderRepository,
    request: CheckRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const whole = [...this.#needed.entries()]
      .filter(([name, { pack }]) => this.#sizes.get(name) === pack.size)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const itsTurn = whole.filter(([name]) => isItsTurn(name, request));
    // Of few packs none may have its turn today: one is read all the same, each day another.
    const one = whole[Math.floor(request.nowMs / DAY_MS) % Math.max(1, whole.length)];
    const chosen = itsTurn.length > 0 || !one ? itsTurn : [one];
    this.#deps.emit({ type: 'stage', stage: 'read', detail: `${chosen.length} packs` });
    const checker = new PackChecker(repository);
    try {
      for (const [name, { pack, by }] of chosen) {
        const chunkIdKey = this.#keyFor(pack, by);
        // No snapshot that needs it can be opened, which was said: nothing tells what its chunks are.
        if (!chunkIdKey) continue;
        await checker.check(pack, chunkIdKey, signal, (code, message) => {
          this.#report(name, code, `${message}; needed by ${needers(by)}`);
        });
      }
      await checker.finish();
      this.#read = { objects: checker.objects, bytes: checker.bytes };
    } finally {
      await checker.close();
    }
  }

  summary(snapshots: number): Checked {
    const problems = [...this.#problems.values()];
    return { problems, snapshots, packs: this.#needed.size, read: this.#read };
  }

  #packsOf(cover: OpenedCover, signal: AbortSignal): Promise<ListedPack[]> {
    const repository = this.#repository;
    const key =
      'identity' in repository
        ? repository.writers.get(cover.writer)?.subkeys.packList
        : repository.writer.subkeys.packList;
    if (!key) throw new FerryError('bug', 'a listed snapshot has a known writer');
    const keys = { repository: repository.id, writer: cover.writer, key };
    return readPackList(repository.store, keys, cover.cover.packList, signal);
  }

  /** Of those that need it, its own machine's words count first. */
  #keyFor({ writer }: ListedPack, by: readonly OpenedCover[]): Uint8Array | undefined {
    const [own, others] = [true, false].map((isOwn) =>
      by.filter((one) => (one.writer === writer) === isOwn),
    );
    return [...(own ?? []), ...(others ?? [])].flatMap(
      ({ name }) => this.#chunkIdKeys.get(name) ?? [],
    )[0];
  }

  #checkPack(pack: ListedPack, cover: OpenedCover): void {
    const name = writerObjectName('packs', pack.writer, pack.pack);
    const needed = this.#needed.get(name) ?? { pack, by: [] };
    needed.by.push(cover);
    this.#needed.set(name, needed);
    const size = this.#sizes.get(name);
    if (size === pack.size) return;
    const why =
      size === undefined ? 'it is missing' : `it has ${size} bytes, ${pack.size} were stored`;
    const code = size === undefined ? 'object-missing' : 'object-damaged';
    this.#report(name, code, `${why}; needed by ${needers(needed.by)}`);
  }

  async #guard(object: string, cost: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const isHostile = error instanceof FerryError && error.code === 'target-unsafe';
      if (!isObjectFault(error) && !isHostile) throw error;
      this.#report(object, error.code, `${error.message}; ${cost}`);
    }
  }

  /** One line for each object, with the latest thing known about it. */
  #report(object: string, code: string, message: string): void {
    this.#problems.set(object, { object, code, message });
    this.#deps.emit({ type: 'problem', path: object, code, message });
  }
}

function needers(by: readonly OpenedCover[]): string {
  const ids = by.map(({ id }) => id.slice(0, 8));
  const shown = ids.slice(0, 3).join(', ');
  return `${ids.length === 1 ? 'snapshot' : `${ids.length} snapshots`} ${shown}${ids.length > 3 ? ', …' : ''}`;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** With 5 %, every pack is read once in 20 days of checks. */
function isItsTurn(name: string, request: CheckRequest): boolean {
  const turns = Math.max(1, Math.ceil(100 / request.readPercent));
  const id = parseWriterObjectName(name)?.id ?? '0';
  return parseInt(id.slice(0, 8), 16) % turns === Math.floor(request.nowMs / DAY_MS) % turns;
}
