/**
 * One run of the pipeline: the threads, the shared memory and what moves between them. It knows packs and chunks;
 * whoever fills it knows what they are of.
 */
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Random } from '../crypto/sodium.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { listedPack, type ListedPack } from '../format/pack-list.ts';
import { addIfReadable, chunksAtMost } from '../repository/indexes.ts';
import { installKeys, type InstallKeys } from '../repository/machine.ts';
import type { WriterRepository } from '../repository/open.ts';
import { ChunkTable } from '../workers/chunk-table.ts';
import { PIPELINE } from '../workers/limits.ts';
import { PackPool } from '../workers/pack-pool.ts';
import type { BuiltPack } from '../workers/pack-builder.ts';
import { PACKS_TO_SHRINK_FOR, shrinkHeap } from '../workers/small-heaps.ts';
import { Tasks, workerCount } from '../workers/tasks.ts';
import { chunkSink, type ChunkSink } from './chunk-sink.ts';
import { PackUploader } from './pack-uploader.ts';
import { PushProgress, type Totals } from './progress.ts';

export type LineRequest = {
  /** `brand[:profile]`: chunks are named under its keys. */
  readonly install: string;
  /** How large a full pack becomes, at least 1 MiB and a Padmé size; by default the size all pushes use. */
  readonly packBytes: number | undefined;
  readonly totals: Totals;
};

export type LineDeps = {
  readonly repository: WriterRepository;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
};

/** Packs of earlier pushes, and those of them that no index names yet. */
export type KnownPacks = {
  readonly packs: readonly IndexedPack[];
  readonly unindexed: readonly IndexedPack[];
};

export class PushLine {
  readonly keys: InstallKeys;
  /** The packs of earlier pushes; what is in them stands in the table. */
  readonly known: readonly ListedPack[];
  readonly sink: ChunkSink;
  readonly tasks: Tasks;
  readonly progress: PushProgress;
  readonly #table: ChunkTable;
  readonly #pool: PackPool;
  readonly #uploader: PackUploader;
  readonly #signal: AbortSignal;
  readonly #stopOnAbort: () => void;
  #packs = 0;

  constructor(request: LineRequest, deps: LineDeps, known: KnownPacks, signal: AbortSignal) {
    const { repository, clock, random } = deps;
    this.keys = installKeys(repository.writer, request.install);
    this.#table = ChunkTable.create(chunksAtMost(known.packs));
    const unreadable = new Set<IndexedPack>();
    for (const [ordinal, pack] of known.packs.entries()) {
      if (!addIfReadable(this.#table, pack, ordinal, deps.emit)) unreadable.add(pack);
    }
    this.known = known.packs.map(listedPack);
    this.sink = this.newSink();
    const threads = workerCount();
    this.#pool = PackPool.create(
      threads + PIPELINE.spareBuffers,
      request.packBytes ?? PIPELINE.packBytes,
    );
    this.progress = new PushProgress(deps.emit, clock, request.totals);
    this.#uploader = new PackUploader(
      {
        repository,
        clock,
        random,
        pool: this.#pool,
        onStored: (bytes) => this.progress.stored(bytes),
      },
      this.known,
      known.unindexed.filter((pack) => !unreadable.has(pack)),
      signal,
    );
    this.#uploader.open();
    this.tasks = new Tasks(threads, (pack) => this.#take(pack));
    this.tasks.tellAll({
      type: 'begin capture',
      setup: {
        pool: this.#pool.shared,
        table: this.#table.shared,
        chunkIdKey: this.keys.chunkId,
        counters: this.progress.counters,
      },
    });
    this.#stopOnAbort = () => this.#pool.stop();
    this.#signal = signal;
    signal.addEventListener('abort', this.#stopOnAbort, { once: true });
  }

  #take(pack: BuiltPack): void {
    this.#packs += 1;
    if (this.#packs === PACKS_TO_SHRINK_FOR) shrinkHeap();
    this.#uploader.take(pack);
  }

  /** One more sink of the same chunks, for what shall not lie among the pages. */
  newSink(): ChunkSink {
    return chunkSink(this.#table, this.keys.chunkId);
  }

  /** Has `fill` put everything in, and then every pack stored and indexed. */
  async run<T>(fill: () => Promise<T>): Promise<T> {
    try {
      const filled = await fill();
      await this.#finishPacks();
      return filled;
    } catch (error) {
      // A failed upload stops the workers: it is the reason, and what they say of it is not.
      this.#uploader.rethrow();
      throw error;
    }
  }

  packsUsed(): ListedPack[] {
    return [...this.#table.usedPacks()].map((ordinal) => this.#uploader.pack(ordinal));
  }

  get bytesStored(): number {
    return this.#uploader.bytesStored;
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stopOnAbort);
    this.#pool.stop();
    this.progress.end();
    await this.tasks.close();
  }

  /** The first thread last: it has the pages. */
  async #finishPacks(): Promise<void> {
    const threads = Array.from(
      { length: this.tasks.threadsStarted },
      (_, index) => index,
    ).toReversed();
    for (const thread of threads) await this.tasks.run('done', { type: 'finish' }, thread);
    await this.#uploader.finish();
  }
}
