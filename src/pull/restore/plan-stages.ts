/**
 * Walks the trees: directories, links and empty files are placed at once; of everything else it is found out what an
 * earlier run has placed already, and from which packs the rest is to come.
 */
import { asBytePath, type BytePath } from '../../base/byte-path.ts';
import { isObjectFault, throwIfAborted } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { CHUNK_ID_BYTES } from '../../crypto/sizes.ts';
import type { Entry, FileEntry } from '../../format/entry.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { PIPELINE } from '../../workers/limits.ts';
import type { StageFile } from '../../workers/messages.ts';
import type { Tasks } from '../../workers/tasks.ts';
import type { Owner } from './file-table.ts';
import type { RestoreProgress } from './progress.ts';
import { isMeant } from './restore-target.ts';
import { StagedNames } from './staged-names.ts';
import type { Staging } from './staging.ts';
import { WantedChunks } from './wanted-chunks.ts';
import type { Wanted } from './wanted.ts';

export type PlanDeps = {
  readonly snapshot: SnapshotReader;
  readonly staging: Staging;
  readonly tasks: Tasks;
  readonly progress: RestoreProgress;
  readonly emit: Emit;
  ownerOf(entry: Entry): Owner;
  /** What the snapshot says that it holds, so what room was looked for. */
  readonly bytesMax: number;
};

/** A hard link, which needs its target. */
export type PlannedLink = {
  readonly stage: number;
  readonly path: BytePath;
  readonly target: BytePath;
  readonly number: number;
};

export type StagesPlan = {
  /** By the pack's number in the snapshot. */
  readonly wanted: ReadonlyMap<number, Wanted>;
  /** Files of which a chunk is in no pack; to be taken back once nobody writes to them any more. */
  readonly incomplete: ReadonlySet<number>;
  /** Files to finish apart from their content: large ones, and those that an earlier run had written. */
  readonly toFinish: readonly number[];
  readonly directories: readonly number[];
  readonly links: readonly PlannedLink[];
};

export async function planStages(deps: PlanDeps, signal: AbortSignal): Promise<StagesPlan> {
  return new Planner(deps).run(signal);
}

class Planner {
  readonly #deps: PlanDeps;
  readonly #wanted: WantedChunks;
  readonly #names: StagedNames;
  readonly #toFinish: number[] = [];
  readonly #directories: number[] = [];
  readonly #links: PlannedLink[] = [];
  /** Of the files so far. */
  #bytes = 0;
  /** What may lie in the stage already, from an earlier run. */
  #unverified: { readonly file: StageFile; readonly number: number }[] = [];
  #unverifiedBytes = 0;

  constructor(deps: PlanDeps) {
    this.#deps = deps;
    this.#wanted = new WantedChunks(deps.snapshot);
    this.#names = new StagedNames(deps.snapshot);
  }

  async run(signal: AbortSignal): Promise<StagesPlan> {
    const { emit, snapshot, staging } = this.#deps;
    for (const [stage, target] of staging.targets.entries()) {
      emit({ type: 'stage', stage: 'plan', detail: target.root.name });
      const { below = asBytePath('') } = target;
      for await (const entry of snapshot.entries(target.root, below)) {
        throwIfAborted(signal);
        const isTop = entry.type === 'dir' && entry.path === below;
        if (!isTop && !isMeant(target, entry.path)) continue;
        await this.#plan(stage, await this.#names.staged(stage, target, entry), signal);
      }
    }
    await this.#verify();
    return {
      incomplete: await this.#wanted.seekUnknown(),
      wanted: this.#wanted.byPack,
      toFinish: this.#toFinish,
      directories: this.#directories,
      links: this.#links,
    };
  }

  async #plan(stage: number, entry: Entry, signal: AbortSignal): Promise<void> {
    const { staging, bytesMax } = this.#deps;
    const placer = staging.placer(stage);
    const owner = this.#deps.ownerOf(entry);
    const number = staging.files.add(stage, entry, owner);
    if (entry.type === 'dir') {
      placer.placeDirectory(entry.path);
      this.#directories.push(number);
    } else if (entry.type === 'symlink') {
      placer.placeSymlink(entry.path, entry.target, owner);
    } else if (entry.type === 'hardlink') {
      this.#links.push({ stage, path: entry.path, target: entry.target, number });
    } else {
      // Files that share chunks cost their maker nothing, so their sizes may add up to any sum.
      if (this.#bytes + entry.size > bytesMax) {
        return staging.lose(number, 'with it the snapshot would hold more than it says');
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
    const { staging, progress, snapshot } = this.#deps;
    if (entry.size === 0) {
      const attributes = staging.files.attributes(number);
      staging.placer(stage).placeFile(entry.path, new Uint8Array(), attributes);
      progress.fileDone();
      return;
    }
    let ids: Buffer;
    try {
      ids = await snapshot.chunkIds(entry);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      return staging.lose(number, error.message);
    }
    if (staging.files.isLarge(number)) this.#toFinish.push(number);
    const file = { stage, path: entry.path, size: entry.size, chunkBytes: entry.chunkBytes, ids };
    this.#unverified.push({ file, number });
    this.#unverifiedBytes += entry.size;
    if (this.#unverifiedBytes >= PIPELINE.lotBytes * 8) await this.#verify();
    throwIfAborted(signal);
  }

  /** What an earlier run already wrote rightly is not wanted any more. */
  async #verify(): Promise<void> {
    const lot = this.#unverified;
    this.#unverified = [];
    this.#unverifiedBytes = 0;
    const { staging, tasks } = this.#deps;
    const present = lot.filter(({ file }) => staging.placer(file.stage).isThere(file.path));
    const good = new Map<number, Set<number>>();
    if (present.length > 0) {
      const files = present.map(({ file }) => file);
      const answer = await tasks.run('stage verified', { type: 'verify stage', files });
      for (const [index, { number }] of present.entries()) {
        good.set(number, new Set(answer.good[index]));
      }
    }
    for (const { file, number } of lot) this.#want(file, number, good.get(number));
  }

  /** @param good numbers of the chunks that are in their place */
  #want(file: StageFile, number: number, good: ReadonlySet<number> = new Set()): void {
    const { staging, progress } = this.#deps;
    const { files } = staging;
    const isLarge = files.isLarge(number);
    if (isLarge && good.size === 0) staging.placer(file.stage).beginFile(file.path);
    else files.markNotSparse(number);
    const chunks = file.ids.length / CHUNK_ID_BYTES;
    for (let chunk = 0; chunk < chunks; chunk++) {
      if (good.has(chunk)) {
        if (!isLarge) this.#toFinish.push(number);
        progress.add(Math.min(file.chunkBytes, file.size - chunk * file.chunkBytes), 0);
        continue;
      }
      files.want(number);
      const at = file.ids.byteOffset + chunk * CHUNK_ID_BYTES;
      const id = Buffer.from(file.ids.buffer, at, CHUNK_ID_BYTES);
      this.#wanted.add({ id, file: number, chunk });
    }
    if (!files.isWanted(number)) progress.fileDone();
  }
}
