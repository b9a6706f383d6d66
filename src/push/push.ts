/**
 * push, in the order bytes travel: walk → capture → chunk → dedupe → compress → seal → pack → upload → commit.
 * The gateway may keep running. Needs no secret that opens anything.
 */
import { extname } from 'node:path';
import { toHex } from '../base/bytes.ts';
import type { IndexedPack } from '../format/index-object.ts';
import type { Origin, SnapshotBody } from '../format/snapshot.ts';
import { ownPacks } from '../repository/indexes.ts';
import { installKeys, type InstallKeys } from '../repository/machine.ts';
import { refuseRevoked } from '../repository/revocations.ts';
import { WalkAhead } from '../workers/walk-ahead.ts';
import { archiveInstall, type PushSource } from './archive-install.ts';
import { commitSnapshot } from './commit.ts';
import { PushLine, type LineDeps } from './line.ts';
import type { Omission, Problem } from './omission-log.ts';
import type { OmitSpec } from './omit-spec.ts';
import { indexKeys } from './pack-uploader.ts';
import type { Totals } from './progress.ts';
import { pushInRounds, type Round } from './rounds.ts';

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

export type PushDeps = LineDeps;

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
  const { source, scratch, tool, label, packBytes } = request;
  const { emit, repository } = deps;
  for (const notice of source.notices) emit({ type: 'notice', ...notice });
  /** The first one begins while this thread still finds out what is stored. */
  let walk: WalkAhead<OmitSpec> | undefined = newWalk(source, signal);
  const filling: Filling = {
    install: source.install.install,
    label,
    packBytes,
    totals: request.isQuiet === true ? [] : source.roots,
    async fill(line) {
      walk ??= newWalk(source, signal);
      const archiveDeps = { cache: repository.cache, emit, scratch, walk };
      const filled = { tool, ...(await archiveInstall(source, line, archiveDeps, signal)) };
      await walk.close();
      walk = undefined;
      return filled;
    },
  };
  try {
    return await pushFilled(filling, deps, signal);
  } finally {
    await walk?.close();
  }
}

/** Half of a push that finds nothing new is to look at every file: a thread of its own does so. */
const newWalk = ({ roots }: PushSource, signal: AbortSignal): WalkAhead<OmitSpec> =>
  new WalkAhead(
    new URL(`./walk-thread${extname(import.meta.filename)}`, import.meta.url),
    roots,
    signal,
  );

/** What becomes a snapshot, whatever it is filled from. */
export type Filling = {
  /** `brand[:profile]` */
  readonly install: string;
  readonly label: string | undefined;
  readonly packBytes?: number | undefined;
  readonly totals: Totals;
  /** Of a copy: the snapshot that it is of. */
  readonly origin?: Origin;
  /** Puts every chunk into the line; again from the start when packs turned out to be missing. */
  fill(line: PushLine): Promise<SnapshotBody>;
};

/** Packs, then indexes, then the commit; from the start again for as long as packs are found missing. */
export async function pushFilled(
  filling: Filling,
  deps: PushDeps,
  signal: AbortSignal,
): Promise<PushedSnapshot> {
  const { store, writer, revoked } = deps.repository;
  refuseRevoked(revoked, { machine: writer.machine, location: store.location });
  let bytesStored = 0;
  const once = async (gone: ReadonlySet<string>): Promise<PushedOnce> => {
    const done = await pushOnce(filling, deps, gone, signal);
    bytesStored += done.bytesStored;
    return done;
  };
  const { committed, snapshot } = await pushInRounds(deps, once, signal);
  return { ...snapshot, id: committed.mark.snapshot, bytesStored };
}

type PushedOnce = Round & {
  readonly bytesStored: number;
  readonly snapshot: Omit<PushedSnapshot, 'id' | 'bytesStored'>;
};

async function pushOnce(
  filling: Filling,
  deps: PushDeps,
  gone: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<PushedOnce> {
  const { install, label, origin, fill } = filling;
  const { repository, emit } = deps;
  emit({ type: 'stage', stage: 'capture', detail: install });
  const line = await openLine(filling, deps, gone, signal);
  try {
    const body = underKey(await line.run(() => fill(line)), line.keys);
    emit({ type: 'stage', stage: 'commit' });
    const { omissions, problems } = body;
    const sum = (of: 'files' | 'bytes'): number =>
      body.roots.reduce((total, root) => total + root[of], 0);
    const totals = { files: sum('files'), bytes: sum('bytes') };
    const packs = line.packsUsed();
    const { known } = line;
    const committed = await commitSnapshot(
      { packs, known, install, label, origin, ...totals, body },
      deps,
      signal,
    );
    const ownBytes = committed.outcome === 'done' ? committed.bytes : 0;
    const { bytesNew } = line.progress;
    return {
      packs,
      known,
      committed,
      bytesStored: line.bytesStored + ownBytes,
      snapshot: {
        repository: repository.store.location,
        install,
        ...totals,
        bytesNew,
        omissions,
        problems,
      },
    };
  } finally {
    await line.close();
  }
}

async function openLine(
  { install, packBytes, totals }: Filling,
  deps: PushDeps,
  gone: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<PushLine> {
  const { repository, emit } = deps;
  const { store, cache, writer } = repository;
  const { chunkId } = installKeys(writer, install);
  const keys = indexKeys(repository);
  const own = await ownPacks(store, keys, chunkId, { cache, gone }, emit, signal);
  const isThere = (one: IndexedPack): boolean => !gone.has(one.writer + one.pack);
  const known = {
    packs: own.packs.filter(isThere),
    unindexed: own.unindexed.filter(isThere),
  };
  return new PushLine({ install, packBytes, totals }, deps, known, signal);
}

/** A key that cannot be derived from the writer's stands in the body. */
function underKey(
  { chunkIdKey: _ofSomethingElse, ...body }: SnapshotBody,
  { chunkId, isAdopted }: InstallKeys,
): SnapshotBody {
  return isAdopted ? { ...body, chunkIdKey: toHex(chunkId) } : body;
}
