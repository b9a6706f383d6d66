/**
 * The commit of one snapshot, C1 to C4. The order of these steps is the transaction: see ARCHITECTURE.md,
 * "Write order". Nothing here rests on create-only or on a clock of ours.
 */
import { DAY_MS } from '../base/durations.ts';
import type { Emit } from '../base/events.ts';
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { Random } from '../crypto/sodium.ts';
import { writerObjectName, type ObjectId } from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import type { Cover, Origin, SnapshotBody } from '../format/snapshot.ts';
import { absentPacks } from '../repository/absent-packs.ts';
import type { HighWaterMark } from '../repository/machine.ts';
import { timeText, writeFresh } from '../repository/objects.ts';
import { authorSelf, type WriterRepository } from '../repository/open.ts';
import { packName } from '../repository/pack-reader.ts';
import { readPackList, StoredPackList } from '../repository/pack-lists.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { makeSnapshot, openCover } from '../repository/snapshots.ts';
import { readTombstones } from '../repository/tombstones.ts';

/** Half the least grace period that a prune may use: what C1 saw may be trusted this long. */
export const COMMIT_WINDOW_MS = 4 * DAY_MS;
/** A store that keeps losing what it acknowledged is given up on after this many tries. */
export const TRIES_MAX = 4;

export type CommitDeps = {
  readonly repository: WriterRepository;
  readonly random: Random;
  readonly emit: Emit;
};

export type CommitRequest = {
  /** What the snapshot needs. */
  readonly packs: readonly ListedPack[];
  /** What this machine believes to be stored, for this snapshot or another one. */
  readonly known: readonly ListedPack[];
  readonly install: string;
  readonly label: string | undefined;
  /** Of a copy: the snapshot that it is of, whose time it keeps. */
  readonly origin?: Origin | undefined;
  readonly files: number;
  readonly bytes: number;
  readonly body: SnapshotBody;
};

export type Committed = {
  /** Of those known or needed: gone, torn or condemned. Nothing may rely on them any more. */
  readonly gone: readonly ListedPack[];
} & (
  | { readonly outcome: 'done'; readonly mark: HighWaterMark; readonly bytes: number }
  /** Some that are gone were needed: their chunks must be pushed again. */
  | { readonly outcome: 'packs missing' }
);

export async function commitSnapshot(
  request: CommitRequest,
  deps: CommitDeps,
  signal: AbortSignal,
): Promise<Committed> {
  const { repository } = deps;
  let stored = 0;
  const list = new StoredPackList(repository, request.install, request.packs, deps.random);
  stored += await list.ensure(signal);
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    // C1 and C2.
    const seen = await lookAtPacks(request, list, deps, signal);
    if (seen.isMissing) return { outcome: 'packs missing', gone: seen.gone };
    if (seen.listMissing) {
      stored += await list.renew(signal);
      continue;
    }
    // C3.
    const made = makeSnapshot(
      repository.id,
      repository.recipient,
      repository.writer,
      coverFor(request, deps, list.id, seen.dateMs),
      request.body,
      deps.random,
    );
    const mark: HighWaterMark = {
      sequence: nextSequence(repository),
      digest: made.digest,
      snapshot: made.id,
      time: timeText(seen.dateMs),
    };
    await savePending(repository, mark);
    const answer = await writeFresh(repository.store, made.name, made.bytes, signal);
    stored += made.bytes.length;
    const isFresh =
      answer.dateMs !== undefined && Math.abs(answer.dateMs - seen.dateMs) < COMMIT_WINDOW_MS;
    const again = isFresh ? undefined : await lookAtPacks(request, list, deps, signal);
    if (!again || isWhole(again)) {
      // C4.
      await saveDone(repository, mark);
      return { outcome: 'done', mark, bytes: stored, gone: (again ?? seen).gone };
    }
    // What is stored stays as it is; its chunks are pushed again for a new snapshot after it.
    await saveBroken(repository, mark);
    if (again.isMissing) return { outcome: 'packs missing', gone: again.gone };
  }
  throw keepsLosing(repository.store.location, 'the pack list');
}

export function keepsLosing(location: string, what: string): FerryError {
  return new FerryError('object-missing', `the store keeps losing ${what} that it acknowledged`, {
    hint: `The last push does not count. Examine the store: stateferry probe '${location}'`,
  });
}

/**
 * A push that died between C3 and C4 left a snapshot that may rest on packs which are gone: looked at before
 * anything else. Answers the packs that are missing, whose chunks count as not stored.
 */
export async function finishPending(
  deps: CommitDeps,
  signal: AbortSignal,
): Promise<readonly ListedPack[]> {
  const { repository } = deps;
  const { pending } = repository.memory.state;
  if (!pending) return [];
  const name = writerObjectName('snapshots', repository.writer.id, pending.snapshot as ObjectId);
  const stored = await repository.store.get(name, undefined, signal);
  if (!stored) {
    // C3 never arrived: the sequence is free again.
    const { pending: _dropped, ...state } = repository.memory.state;
    await repository.memory.save(state);
    return [];
  }
  const seen = await lookAtSnapshot(stored.bytes, name, deps, signal);
  deps.emit({
    type: 'notice',
    code: 'push-unfinished',
    message: isWhole(seen)
      ? 'the last push was interrupted while it committed; its snapshot is whole'
      : 'the last push was interrupted while it committed: its snapshot is not whole, and this one takes its place',
  });
  await saveDone(repository, pending);
  return seen.gone;
}

/** C1 and C2 for a snapshot of this machine that is already stored. */
async function lookAtSnapshot(
  bytes: Uint8Array,
  name: string,
  deps: CommitDeps,
  signal: AbortSignal,
): Promise<Omit<Seen, 'dateMs'>> {
  const { store, id, writer } = deps.repository;
  try {
    const { cover } = openCover(bytes, name, id, authorSelf(writer));
    const keys = { repository: id, writer: writer.id, key: writer.subkeys.packList };
    const packs = await readPackList(store, keys, cover.packList, signal);
    const listName = writerObjectName('lists', writer.id, cover.packList as ObjectId);
    const list = { name: listName, storedBytes: undefined };
    return await lookAtPacks({ packs, known: [] }, list, deps, signal);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return { isMissing: false, gone: [], listMissing: true };
  }
}

const isWhole = (seen: Omit<Seen, 'dateMs'>): boolean => !seen.isMissing && !seen.listMissing;

type Seen = {
  readonly dateMs: number;
  readonly gone: readonly ListedPack[];
  /** One that the snapshot needs is gone. */
  readonly isMissing: boolean;
  readonly listMissing: boolean;
};

/** C1: the Date, then tombstones, then packs and the pack list. C2: every one present, whole and not condemned. */
async function lookAtPacks(
  { packs, known }: Pick<CommitRequest, 'packs' | 'known'>,
  packList: { readonly name: string; readonly storedBytes: number | undefined },
  deps: CommitDeps,
  signal: AbortSignal,
): Promise<Seen> {
  const { repository, emit } = deps;
  const { store } = repository;
  // First: the window begins before the oldest thing that is seen, however long a machine sleeps while it looks.
  const dateMs = await store.dateMs(signal);
  const tombstones = await readTombstones(repository, emit, signal);
  const condemned = new Set(tombstones.flatMap((tombstone) => tombstone.condemned));
  const looked = new Map([...known, ...packs].map((pack) => [packName(pack), pack]));
  const writers = new Set([...looked.values()].map((pack) => pack.writer));
  // Both after the tombstones; of each other they do not depend.
  const [sizes, list] = await Promise.all([
    listPacks(writers, store, signal),
    store.stat(packList.name, signal),
  ]);
  const listIsWhole = list !== undefined && list.size === (packList.storedBytes ?? list.size);
  const unseen = [...looked].filter(
    ([name, { size }]) => sizes.get(name) !== size && !condemned.has(name),
  );
  const absent = await absentPacks(new Map(unseen), store, signal);
  const gone = new Map([...looked].filter(([name]) => condemned.has(name) || absent.has(name)));
  return {
    dateMs,
    gone: [...gone.values()],
    isMissing: gone.size > 0 && packs.some((pack) => gone.has(packName(pack))),
    listMissing: !listIsWhole || condemned.has(packList.name),
  };
}

/** Sizes by name. */
async function listPacks(
  writers: ReadonlySet<string>,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const writer of writers) {
    for await (const listed of store.list(`packs/${writer}/`, signal)) {
      sizes.set(listed.name, listed.size);
    }
  }
  return sizes;
}

function coverFor(
  request: CommitRequest,
  deps: CommitDeps,
  packList: ObjectId,
  dateMs: number,
): Cover {
  const { repository } = deps;
  return {
    sequence: nextSequence(repository),
    previous: repository.memory.state.highWater[repository.writer.id]?.digest ?? null,
    time: request.origin?.time ?? timeText(dateMs),
    install: request.install,
    machine: repository.writer.machine,
    label: request.label ?? null,
    files: request.files,
    bytes: request.bytes,
    packList,
    ...(request.origin && { origin: request.origin }),
  };
}

const nextSequence = (repository: WriterRepository): number =>
  (repository.memory.state.highWater[repository.writer.id]?.sequence ?? 0) + 1;

const savePending = (repository: WriterRepository, mark: HighWaterMark): Promise<void> =>
  repository.memory.save({ ...repository.memory.state, pending: mark });

async function saveDone(repository: WriterRepository, mark: HighWaterMark): Promise<void> {
  const { pending: _done, ...state } = repository.memory.state;
  const highWater = { ...state.highWater, [repository.writer.id]: mark };
  await repository.memory.save({ ...state, highWater });
}

/** The sequence is used up, and the next push must still know that this snapshot is not whole. */
async function saveBroken(repository: WriterRepository, mark: HighWaterMark): Promise<void> {
  const { state } = repository.memory;
  const highWater = { ...state.highWater, [repository.writer.id]: mark };
  await repository.memory.save({ ...state, highWater, pending: mark });
}
