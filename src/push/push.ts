/**
 * push, in the order bytes travel: walk → capture → chunk → dedupe → compress → seal → pack → upload → commit.
 * The gateway may keep running. Needs no secret that opens anything.
 */
import type { BytePath } from '../base/byte-path.ts';
import type { Clock } from '../base/clock.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { installSubkeys } from '../crypto/identity.ts';
import type { Random } from '../crypto/sodium.ts';
import type { IndexedPack } from '../format/index-object.ts';
import type { ListedPack } from '../format/pack-list.ts';
import type { SnapshotBody, SnapshotRoot } from '../format/snapshot.ts';
import { readOwners } from '../fs/owners.ts';
import { makeScratch, removeTree } from '../fs/scratch.ts';
import { addToTable, chunksAtMost, ownPacks } from '../repository/indexes.ts';
import type { WriterRepository } from '../repository/open.ts';
import { ChunkTable } from '../workers/chunk-table.ts';
import { PIPELINE } from '../workers/limits.ts';
import { PackPool } from '../workers/pack-pool.ts';
import { Tasks, workerCount } from '../workers/tasks.ts';
import { RootArchiver, type ArchiveRoot } from './archive-root.ts';
import { Capturer } from './capturer.ts';
import { chunkSink } from './chunk-sink.ts';
import { commitSnapshot, finishPending, keepsLosing, TRIES_MAX, type Committed } from './commit.ts';
import { DatabaseReader } from './database-reader.ts';
import { OmissionLog, type Omission, type Problem } from './omission-log.ts';
import { indexKeys, PackUploader } from './pack-uploader.ts';
import { PushProgress } from './progress.ts';

/** How many files were captured below each folder that a root was asked to count. */
export type FilesIn = ReadonlyMap<string, number>;

/** What to push: prepared by the gateway layer, so that this module knows trees and nothing of products. */
export type PushSource = {
  readonly install: SnapshotBody['install'];
  readonly roots: readonly (ArchiveRoot & Pick<SnapshotRoot, 'name' | 'kind' | 'path'>)[];
  /** Left out before the walk (for instance a root that is not there). */
  readonly omissions: readonly Omission[];
  readonly problems: readonly Problem[];
  /** What a person should hear before the push. */
  readonly notices: readonly {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  }[];
  /** Asked after the capture, so that it can count again. */
  gateway(filesIn: FilesIn): SnapshotBody['gateway'];
};

export type PushRequest = {
  readonly source: PushSource;
  readonly label?: string;
  /** Nobody hears how far the push is: then nothing is counted beforehand, which takes a second walk. */
  readonly isQuiet?: boolean;
  /** How large a full pack becomes, at least 1 MiB and a Padmé size; by default the size all pushes use. */
  readonly packBytes?: number;
  /** Where private copies of databases may lie for a moment. */
  readonly scratch: string;
  /** `stateferry 1.2.3`, for the record. */
  readonly tool: string;
};

export type PushDeps = {
  readonly repository: WriterRepository;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
};

export type PushedSnapshot = {
  readonly id: string;
  readonly repository: string;
  readonly install: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of content that no earlier snapshot had, before compression. */
  readonly bytesNew: number;
  readonly bytesStored: number;
  readonly omissions: readonly Omission[];
  readonly problems: readonly Problem[];
};

export async function push(
  request: PushRequest,
  deps: PushDeps,
  signal: AbortSignal,
): Promise<PushedSnapshot> {
  const { repository, emit } = deps;
  for (const notice of request.source.notices) emit({ type: 'notice', ...notice });
  /** Packs that an index or the cache names and that are not what they were. */
  const gone = new Set<string>();
  const forget = (packs: readonly ListedPack[]): void => {
    for (const { writer, pack } of packs) {
      gone.add(writer + pack);
      repository.cache.dropPack(writer, pack);
    }
  };
  forget(await finishPending(deps, signal));
  let bytesStored = 0;
  for (let round = 1; round <= TRIES_MAX; round++) {
    const done = await pushOnce(request, deps, gone, signal);
    bytesStored += done.bytesStored;
    if (done.committed.outcome === 'done') {
      return { ...done.snapshot, id: done.committed.mark.snapshot, bytesStored };
    }
    forget(done.committed.packs);
    emit({
      type: 'notice',
      code: 'packs-missing',
      message: `${done.committed.packs.length} packs are not in the store as they were; pushing their content again`,
    });
  }
  throw keepsLosing(repository.store.location, 'packs');
}

type PushedOnce = {
  readonly committed: Committed;
  readonly bytesStored: number;
  readonly snapshot: Omit<PushedSnapshot, 'id' | 'bytesStored'>;
};

async function pushOnce(
  request: PushRequest,
  deps: PushDeps,
  gone: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<PushedOnce> {
  const { repository, emit } = deps;
  emit({ type: 'stage', stage: 'capture', detail: request.source.install.install });
  const keys = indexKeys(repository);
  const own = await ownPacks(repository.store, keys, repository.cache, emit, signal);
  const isThere = ({ writer, pack }: IndexedPack): boolean => !gone.has(writer + pack);
  const known = {
    packs: own.packs.filter(isThere),
    unindexed: own.unindexed.filter(isThere),
  };
  const line = new PushLine(request, deps, known, signal);
  try {
    const archived = await line.archive(signal);
    emit({ type: 'stage', stage: 'commit' });
    const committed = await commitSnapshot(
      {
        packs: line.packsUsed(),
        install: request.source.install.install,
        label: request.label,
        files: archived.files,
        bytes: archived.bytes,
        body: archived.body,
      },
      deps,
      signal,
    );
    const ownBytes = committed.outcome === 'done' ? committed.bytes : 0;
    return {
      committed,
      bytesStored: line.uploader.bytesStored + ownBytes,
      snapshot: {
        repository: repository.store.location,
        install: request.source.install.install,
        files: archived.files,
        bytes: archived.bytes,
        bytesNew: line.bytesNew(),
        omissions: archived.body.omissions,
        problems: archived.body.problems,
      },
    };
  } finally {
    await line.close();
  }
}

function nothingThere(source: PushSource): FerryError {
  const { install } = source.install;
  return new FerryError('install-not-found', `nothing of ${install} is where it was found`, {
    hint: 'Was it moved or removed meanwhile? Look again: stateferry gateways',
    details: { paths: source.roots.map(({ path }) => path).join(', ') },
  });
}

type Archived = { readonly body: SnapshotBody; readonly files: number; readonly bytes: number };

/** One run of the pipeline: the threads, the shared memory and what moves between them. */
class PushLine {
  readonly #request: PushRequest;
  readonly #deps: PushDeps;
  readonly #table: ChunkTable;
  readonly #pool: PackPool;
  readonly #tasks: Tasks;
  readonly #scratch: BytePath;
  readonly #progress: PushProgress;
  readonly #signal: AbortSignal;
  readonly #stopOnAbort: () => void;
  readonly uploader: PackUploader;

  constructor(
    request: PushRequest,
    deps: PushDeps,
    known: { readonly packs: readonly IndexedPack[]; readonly unindexed: readonly IndexedPack[] },
    signal: AbortSignal,
  ) {
    this.#request = request;
    this.#deps = deps;
    this.#scratch = makeScratch(request.scratch, 'push-');
    this.#table = ChunkTable.create(chunksAtMost(known.packs));
    for (const [ordinal, pack] of known.packs.entries()) addToTable(this.#table, pack, ordinal);
    const threads = workerCount();
    this.#pool = PackPool.create(
      threads + PIPELINE.spareBuffers,
      request.packBytes ?? PIPELINE.packBytes,
    );
    const counted = request.isQuiet === true ? [] : request.source.roots;
    this.#progress = new PushProgress(deps.emit, deps.clock, counted);
    const { repository, clock, random } = deps;
    this.uploader = new PackUploader(
      {
        repository,
        clock,
        random,
        pool: this.#pool,
        onStored: (bytes) => this.#progress.stored(bytes),
      },
      known.packs,
      known.unindexed,
      signal,
    );
    this.uploader.open();
    this.#tasks = new Tasks(threads, (pack) => this.uploader.take(pack));
    this.#stopOnAbort = () => this.#pool.stop();
    this.#signal = signal;
    signal.addEventListener('abort', this.#stopOnAbort, { once: true });
  }

  async archive(signal: AbortSignal): Promise<Archived> {
    try {
      return await this.#archive(signal);
    } catch (error) {
      // A failed upload stops the workers: it is the reason, and what they say of it is not.
      this.uploader.rethrow();
      throw error;
    }
  }

  async #archive(signal: AbortSignal): Promise<Archived> {
    const { repository } = this.#deps;
    const { source, tool } = this.#request;
    const keys = installSubkeys(repository.writer.key, source.install.install);
    this.#tasks.tellAll({
      type: 'begin capture',
      setup: {
        pool: this.#pool.shared,
        table: this.#table.shared,
        chunkIdKey: keys.chunkId,
        counters: this.#progress.counters,
      },
    });
    const sink = chunkSink(this.#table, keys.chunkId);
    const databases = new DatabaseReader(this.#scratch);
    const roots: SnapshotRoot[] = [];
    const filesIn = new Map<string, number>();
    const omissions: Omission[] = [...source.omissions];
    const problems: Problem[] = [...source.problems];
    const owners = readOwners();
    for (const root of source.roots) {
      const log = new OmissionLog(root.name, this.#deps.emit);
      const capturer = new Capturer(this.#tasks, sink, databases, log);
      const archiver = new RootArchiver(root, {
        sink,
        pageCutKey: keys.pageCut,
        capturer,
        owners,
        seen: { cache: repository.cache, install: source.install.install, root: root.name },
        log,
        onEntry: (bytes) => this.#progress.settled(bytes),
      });
      const archived = await archiver.run(signal);
      await capturer.flushBlobs(signal);
      if (archived) {
        const { page, files, bytes } = archived;
        roots.push({ name: root.name, kind: root.kind, path: root.path, page, files, bytes });
        for (const [name, count] of archived.filesIn) {
          filesIn.set(name, (filesIn.get(name) ?? 0) + count);
        }
      }
      omissions.push(...log.omissions);
      problems.push(...log.problems);
    }
    if (roots.length === 0) throw nothingThere(source);
    await this.#finishPacks();
    const body: SnapshotBody = {
      tool,
      install: source.install,
      roots,
      omissions,
      problems,
      gateway: source.gateway(filesIn),
    };
    const sum = (of: 'files' | 'bytes'): number =>
      roots.reduce((total, root) => total + root[of], 0);
    return { body, files: sum('files'), bytes: sum('bytes') };
  }

  packsUsed(): ListedPack[] {
    return [...this.#table.usedPacks()].map((ordinal) => {
      const { writer, pack, size } = this.uploader.pack(ordinal);
      return { writer, pack, size };
    });
  }

  bytesNew(): number {
    return this.#progress.bytesNew;
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stopOnAbort);
    this.#pool.stop();
    this.#progress.end();
    await this.#tasks.close();
    removeTree(this.#scratch);
  }

  /** The first thread last: it has the pages. */
  async #finishPacks(): Promise<void> {
    const threads = Array.from(
      { length: this.#tasks.threadsStarted },
      (_, index) => index,
    ).toReversed();
    for (const thread of threads) await this.#tasks.run('done', { type: 'finish' }, thread);
    await this.uploader.finish();
  }
}
