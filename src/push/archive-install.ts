/** The trees of an install into the pipeline: every root walked, captured and described by its pages. */
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { SnapshotBody, SnapshotRoot } from '../format/snapshot.ts';
import { readOwners } from '../fs/owners.ts';
import { makeScratch, removeTree } from '../fs/scratch.ts';
import { keyName } from '../repository/adoption.ts';
import type { RepositoryCache } from '../repository/cache.ts';
import type { InstallKeys } from '../repository/machine.ts';
import { keepHeapsSmall, keepYoungAsItIs } from '../workers/small-heaps.ts';
import type { WalkAhead } from '../workers/walk-ahead.ts';
import { RootArchiver, type ArchiveRoot } from './archive-root.ts';
import { Capturer } from './capturer.ts';
import { DatabaseReader } from './database-reader.ts';
import type { PushLine } from './line.ts';
import { OmissionLog, type Omission, type Problem } from './omission-log.ts';
import type { OmitSpec } from './omit-spec.ts';

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

export type ArchiveInstallDeps = {
  readonly cache: RepositoryCache;
  readonly emit: Emit;
  /** Where private copies of databases may lie for a moment. */
  readonly scratch: string;
  /** Of all roots of the source, not used yet. */
  readonly walk: Pick<WalkAhead<OmitSpec>, 'next'>;
};

/** So many of them would leave a hundred MiB of garbage even where nothing is read; 100 000 hold 214 MiB in all. */
const ENTRIES_OF_A_LARGE_INSTALL = 120_000;

/** Everything of the body but which program made it. */
export async function archiveInstall(
  source: PushSource,
  line: PushLine,
  deps: ArchiveInstallDeps,
  signal: AbortSignal,
): Promise<Omit<SnapshotBody, 'tool'>> {
  keepYoungAsItIs();
  const scratch = makeScratch(deps.scratch, 'push-');
  try {
    const databases = new DatabaseReader(scratch);
    const roots: SnapshotRoot[] = [];
    const filesIn = new Map<string, number>();
    let entries = 0;
    const omissions: Omission[] = [...source.omissions];
    const problems: Problem[] = [...source.problems];
    const owners = readOwners();
    const seenAs = seenName(source.install.install, line.keys);
    for (const root of source.roots) {
      const log = new OmissionLog(root.name, deps.emit);
      const capturer = new Capturer(line.tasks, line.sink, databases, log);
      const archiver = new RootArchiver(root, {
        sink: line.sink,
        pageCutKey: line.keys.pageCut,
        capturer,
        owners,
        seen: { cache: deps.cache, install: seenAs, root: root.name },
        log,
        onEntry: (bytes) => {
          line.progress.settled(bytes);
          capturer.handOn();
          entries += 1;
          if (entries === ENTRIES_OF_A_LARGE_INSTALL) keepHeapsSmall();
        },
      });
      const archived = await archiver.run(deps.walk.next(), signal);
      await capturer.flushBlobs(signal);
      if (archived) {
        const { page, files, bytes } = archived;
        roots.push({ name: root.name, kind: root.kind, path: root.path, page, files, bytes });
        for (const [name, count] of archived.filesIn) {
          filesIn.set(name, (filesIn.get(name) ?? 0) + count);
        }
      }
      for (const omission of log.omissions) omissions.push(omission);
      for (const problem of log.problems) problems.push(problem);
    }
    if (roots.length === 0) throw nothingThere(source);
    const gateway = source.gateway(filesIn);
    return { install: source.install, roots, omissions, problems, gateway };
  } finally {
    removeTree(scratch);
  }
}

/** What was seen holds chunk ids, which are good for one key only. */
const seenName = (install: string, { chunkId, isAdopted }: InstallKeys): string =>
  isAdopted ? `${install} ${keyName(chunkId)}` : install;

function nothingThere(source: PushSource): FerryError {
  const { install } = source.install;
  return new FerryError('install-not-found', `nothing of ${install} is where it was found`, {
    hint: 'Was it moved or removed meanwhile? Look again: stateferry gateways',
    details: { paths: source.roots.map(({ path }) => path).join(', ') },
  });
}
