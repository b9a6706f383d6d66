/**
 * The middle of a pull, mirror of push's: select → plan → download → unseal → assemble → stage. Places trees in
 * stage directories and touches nothing else. A stage that an interrupted run left is completed.
 */
import { asBytePath, joinBytes, showPath, type BytePath } from '../base/byte-path.ts';
import type { Clock } from '../base/clock.ts';
import { FerryError, isObjectFault, throwIfAborted } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { Entry, FileEntry } from '../format/entry.ts';
import { createPlacer, type Placer } from '../fs/place.ts';
import { syncTree } from '../fs/sync.ts';
import type { SystemTools } from '../fs/system-tools.ts';
import { setTimes, type TimeRecord } from '../fs/times.ts';
import type { OnVerified } from '../repository/adoption.ts';
import type { PackSource } from '../repository/open.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { PIPELINE } from '../workers/limits.ts';
import type { StageFile } from '../workers/messages.ts';
import { PackPool } from '../workers/pack-pool.ts';
import { shrinkHeap } from '../workers/small-heaps.ts';
import { Tasks, workerCount } from '../workers/tasks.ts';
import { fetchPacks } from './fetch-packs.ts';
import { FileTable, type Owner } from './file-table.ts';
import { RestoreProgress } from './progress.ts';
import { isMeant, type RestoreTarget } from './restore-target.ts';
import { StagedNames } from './staged-names.ts';
import { WantedChunks } from './wanted-chunks.ts';

export type RestoreRequest = {
  readonly snapshot: SnapshotReader;
  readonly targets: readonly RestoreTarget[];
  /** Who a restored entry belongs to; undefined: whoever runs this. */
  ownerOf(entry: Entry): Owner;
  readonly setIdAllowed: boolean;
};

export type RestoreDeps = {
  readonly repository: PackSource;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly tools: SystemTools;
  /** Hears of every chunk that was fetched whole. */
  readonly onVerified?: OnVerified | undefined;
};

export type Restored = {
  readonly files: number;
  readonly bytes: number;
  readonly bytesFetched: number;
  /** Files that could not be restored whole; they are not in the stage. */
  readonly problems: readonly { readonly path: string; readonly code: string }[];
  /** Names of the packs that did not deliver. */
  readonly packsLost: readonly string[];
};

/** @throws object-missing, object-damaged (the tree itself), no-space, target-unsafe */
export async function restoreTrees(
  request: RestoreRequest,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<Restored> {
  const run = new RestoreRun(request, deps);
  try {
    await run.plan(signal);
    await run.download(signal);
    await run.finish(signal);
    return run.summary();
  } finally {
    await run.close();
  }
}

type Link = {
  readonly stage: number;
  readonly path: BytePath;
  readonly target: BytePath;
  readonly number: number;
};

/** From so many on the heap is shrunk, which takes as long as a pack or two. */
const PACKS_OF_A_LARGE_PULL = 6;

class RestoreRun {
  readonly #request: RestoreRequest;
  readonly #deps: RestoreDeps;
  readonly #placers: readonly Placer[];
  readonly #files = new FileTable();
  /** Files to finish apart from their content: large ones, and those that an earlier run had written. */
  readonly #toFinish: number[] = [];
  readonly #directories: number[] = [];
  readonly #links: Link[] = [];
  readonly #wanted: WantedChunks;
  readonly #names: StagedNames;
  readonly #problems: { path: string; code: string }[] = [];
  readonly #progress: RestoreProgress;
  readonly #pool: PackPool;
  readonly #tasks: Tasks;
  readonly #packsLost = new Set<string>();
  /** Files of which a chunk is in no pack; taken back once nobody writes to them any more. */
  #incomplete: ReadonlySet<number> = new Set();
  /** `<stage>/<path>` of what is not in its place. */
  readonly #lost = new Set<string>();
  readonly #bytesMax: number;
  #fileCount = 0;
  #bytes = 0;
  #verifying: { readonly file: StageFile; readonly number: number }[] = [];
  #verifyingBytes = 0;

  constructor(request: RestoreRequest, deps: RestoreDeps) {
    this.#request = request;
    this.#deps = deps;
    this.#wanted = new WantedChunks(request.snapshot);
    this.#names = new StagedNames(request.snapshot);
    const { setIdAllowed, targets } = request;
    this.#placers = targets.map(({ stage }) => createPlacer({ stage, setIdAllowed }));
    const threads = workerCount();
    const largest = Math.max(0, ...request.snapshot.packs.map(({ size }) => size));
    const buffers = threads + PIPELINE.spareBuffers;
    this.#pool = PackPool.create(buffers, Math.max(largest, 64 * 1024));
    for (let buffer = 0; buffer < buffers; buffer++) this.#pool.free(buffer);
    this.#tasks = new Tasks(threads, () => undefined);
    this.#tasks.tellAll({
      type: 'begin restore',
      setup: {
        pool: this.#pool.shared,
        chunkIdKey: request.snapshot.chunkIdKey,
        stages: targets.map(({ stage }) => stage),
        setIdAllowed,
      },
    });
    if (targets.every(({ only }) => only === undefined)) this.#tasks.startAll();
    // Parts of one root in several stages are no more than that root.
    const roots = [...new Set(targets.map(({ root }) => root))];
    const total = roots.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#bytesMax = total;
    const files = roots.reduce((sum, root) => sum + root.files, 0);
    this.#progress = new RestoreProgress(deps.emit, deps.clock, total, files);
  }

  /** Walks the trees: directories, links and empty files at once, content by pack for later. */
  async plan(signal: AbortSignal): Promise<void> {
    for (const [stage, target] of this.#request.targets.entries()) {
      this.#deps.emit({ type: 'stage', stage: 'plan', detail: target.root.name });
      const { below = asBytePath('') } = target;
      for await (const entry of this.#request.snapshot.entries(target.root, below)) {
        throwIfAborted(signal);
        const isTop = entry.type === 'dir' && entry.path === below;
        if (!isTop && !isMeant(target, entry.path)) continue;
        await this.#planEntry(stage, await this.#names.staged(stage, target, entry), signal);
      }
    }
    await this.#verifyStage();
    this.#incomplete = await this.#wanted.seekUnknown();
  }

  async download(signal: AbortSignal): Promise<void> {
    this.#deps.emit({ type: 'stage', stage: 'download' });
    if (this.#wanted.byPack.size >= PACKS_OF_A_LARGE_PULL) shrinkHeap();
    await fetchPacks(
      this.#wanted.byPack,
      {
        repository: this.#deps.repository,
        snapshot: this.#request.snapshot,
        pool: this.#pool,
        tasks: this.#tasks,
        fileOf: (number) => this.#files.file(number),
        onBytes: (placed, fetched) => this.#progress.add(placed, fetched),
        onPlaced: (file) => {
          if (this.#files.arrived(file)) this.#progress.fileDone();
        },
        onVerified: this.#deps.onVerified,
        onLost: (file, pack, why) => {
          this.#packsLost.add(pack);
          this.#lose(file, `${why} (${pack})`);
        },
      },
      signal,
    );
    for (const number of this.#incomplete) this.#lose(number, 'a chunk is in no pack');
    for (let thread = 0; thread < this.#tasks.threadsStarted; thread++) {
      await this.#tasks.run('done', { type: 'finish restore' }, thread);
    }
  }

  /** What must come after all content: large files, hard links, times, directory modes; then durable. */
  async finish(signal: AbortSignal): Promise<void> {
    this.#deps.emit({ type: 'stage', stage: 'finish' });
    for (const number of this.#toFinish) {
      if (this.#files.isFailed(number)) continue;
      const { path, size, attributes } = this.#files.file(number);
      this.#placer(this.#files.stage(number)).finishFile(path, size, attributes);
    }
    for (const { stage, path, target, number } of this.#links) {
      if (this.#lost.has(`${stage}/${target}`)) {
        this.#lose(number, `it is another name of ${showPath(target)}`);
        continue;
      }
      this.#placer(stage).placeHardLink(path, target);
    }
    throwIfAborted(signal);
    const { failed } = await setTimes(this.#timeRecords(), this.#deps.tools);
    for (const { path, code } of failed) {
      const message = `its time could not be set (${code})`;
      this.#deps.emit({ type: 'problem', path: showPath(path), code: 'file-write', message });
    }
    for (const number of this.#directories.toReversed()) {
      const placer = this.#placer(this.#files.stage(number));
      placer.finishDirectory(this.#files.path(number), this.#files.attributes(number));
    }
    for (const { stage } of this.#request.targets) await syncTree(stage, this.#deps.tools);
  }

  summary(): Restored {
    return {
      files: this.#fileCount,
      bytes: this.#bytes,
      bytesFetched: this.#progress.bytesFetched,
      problems: this.#problems,
      packsLost: [...this.#packsLost],
    };
  }

  async close(): Promise<void> {
    this.#progress.end();
    this.#pool.stop();
    for (const placer of this.#placers) placer.close();
    await this.#tasks.close();
  }

  async #planEntry(stage: number, entry: Entry, signal: AbortSignal): Promise<void> {
    const placer = this.#placer(stage);
    const owner = this.#request.ownerOf(entry);
    const number = this.#files.add(stage, entry, owner);
    if (entry.type === 'dir') {
      placer.placeDirectory(entry.path);
      this.#directories.push(number);
    } else if (entry.type === 'symlink') {
      placer.placeSymlink(entry.path, entry.target, owner);
    } else if (entry.type === 'hardlink') {
      this.#links.push({ stage, path: entry.path, target: entry.target, number });
    } else {
      this.#fileCount += 1;
      // What it says of itself is what room was looked for; files that share chunks cost their maker nothing.
      if (this.#bytes + entry.size > this.#bytesMax) {
        return this.#lose(number, 'with it the snapshot would hold more than it says');
      }
      this.#bytes += entry.size;
      await this.#planFile(stage, entry, number, signal);
    }
  }

  async #planFile(
    stage: number,
    entry: FileEntry,
    number: number,
    signal: AbortSignal,
  ): Promise<void> {
    const placer = this.#placer(stage);
    if (entry.size === 0) {
      placer.placeFile(entry.path, new Uint8Array(), this.#files.attributes(number));
      this.#progress.fileDone();
      return;
    }
    let ids: Buffer;
    try {
      ids = await this.#request.snapshot.chunkIds(entry);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      return this.#lose(number, error.message);
    }
    if (this.#files.isLarge(number)) this.#toFinish.push(number);
    const file = { stage, path: entry.path, size: entry.size, chunkBytes: entry.chunkBytes, ids };
    this.#verifying.push({ file, number });
    this.#verifyingBytes += entry.size;
    if (this.#verifyingBytes >= PIPELINE.lotBytes * 8) await this.#verifyStage();
    throwIfAborted(signal);
  }

  /** What an earlier run already wrote rightly is not wanted any more. */
  async #verifyStage(): Promise<void> {
    const lot = this.#verifying;
    this.#verifying = [];
    this.#verifyingBytes = 0;
    const present = lot.filter(({ file }) => this.#placer(file.stage).isThere(file.path));
    const good = new Map<number, Set<number>>();
    if (present.length > 0) {
      const files = present.map(({ file }) => file);
      const answer = await this.#tasks.run('stage verified', { type: 'verify stage', files });
      for (const [index, { number }] of present.entries()) {
        good.set(number, new Set(answer.good[index]));
      }
    }
    for (const { file, number } of lot) this.#want(file, number, good.get(number));
  }

  #want(file: StageFile, number: number, good: ReadonlySet<number> | undefined): void {
    const chunks = file.ids.length / CHUNK_ID_BYTES;
    const isLarge = this.#files.isLarge(number);
    if (isLarge && (good === undefined || good.size === 0)) {
      this.#placer(file.stage).beginFile(file.path);
    } else {
      this.#files.markNotSparse(number);
    }
    for (let chunk = 0; chunk < chunks; chunk++) {
      const id = Buffer.from(
        file.ids.buffer,
        file.ids.byteOffset + chunk * CHUNK_ID_BYTES,
        CHUNK_ID_BYTES,
      );
      if (good?.has(chunk) === true) {
        if (!isLarge) this.#toFinish.push(number);
        this.#progress.add(Math.min(file.chunkBytes, file.size - chunk * file.chunkBytes), 0);
        continue;
      }
      this.#files.want(number);
      this.#wanted.add(id, number, chunk);
    }
    if (!this.#files.isWanted(number)) this.#progress.fileDone();
  }

  #lose(number: number, why: string): void {
    if (this.#files.isFailed(number)) return;
    this.#files.markFailed(number);
    const stage = this.#files.stage(number);
    this.#lost.add(`${stage}/${this.#files.path(number)}`);
    const path = showPath(joinBytes(this.#rootName(stage), this.#files.path(number)));
    this.#problems.push({ path, code: 'object-damaged' });
    this.#deps.emit({ type: 'problem', path, code: 'object-damaged', message: why });
    this.#placer(stage).removeFile(this.#files.path(number));
  }

  *#timeRecords(): Generator<TimeRecord> {
    for (let number = this.#files.length - 1; number >= 0; number--) {
      if (this.#files.isFailed(number)) continue;
      const target = this.#request.targets[this.#files.stage(number)];
      if (target) yield this.#files.time(number, joinBytes(target.stage, this.#files.path(number)));
    }
  }

  #rootName(stage: number): BytePath {
    const target = this.#request.targets[stage];
    const name = asBytePath(target?.root.name ?? '');
    return target?.below ? joinBytes(name, target.below) : name;
  }

  #placer(stage: number): Placer {
    const placer = this.#placers[stage];
    if (!placer) throw new FerryError('bug', `no stage ${stage}`);
    return placer;
  }
}
