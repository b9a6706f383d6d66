/** Another machine's install lands on this one: what was verified of its packs is good here too. */
import { rememberVerified } from '../../src/repository/adoption.ts';
import { isObjectFault } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import type { IndexedPack } from '../../src/format/index-object.ts';
import type { WriterId } from '../../src/format/names.ts';
import { firstWhole, PackPresence } from '../../src/pull/plan/loss.ts';
import { readHistory } from '../../src/repository/history.ts';
import { withLanded } from '../../src/repository/machine.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import { openSnapshot, type SnapshotReader } from '../../src/repository/snapshot-reader.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import { chunksIn } from './content.ts';
import type { Ledger } from './ledger.ts';
import type { Machine } from './machine.ts';
import { readWholePack } from './whole-pack.ts';
import type { Process } from './world.ts';

const NO_ABORT = new AbortController().signal;
const emit = (_event: FerryEvent): void => {};

/** Of a writer's snapshots, the newest that can be read whole, with its packs as they were read. */
export async function newestWhole(
  repository: ReaderRepository,
  newestFirst: readonly OpenedCover[],
  ledger: Ledger,
): Promise<
  { readonly snapshot: SnapshotReader; readonly packs: readonly IndexedPack[] } | undefined
> {
  const presence = new PackPresence(repository.store);
  let left = newestFirst;
  for (;;) {
    const found = await firstWhole(repository, presence, left, new Set(), NO_ABORT);
    if (!found) return undefined;
    left = left.filter((one) => one !== found);
    const snapshot = await openIfThere(repository, found);
    if (!snapshot) continue;
    const packs: IndexedPack[] = [];
    for (const pack of snapshot.packs) {
      try {
        packs.push(await readWholePack(repository, pack, NO_ABORT));
      } catch (error) {
        if (!isObjectFault(error)) throw error;
      }
    }
    // One of two packs that hold the same may be damaged.
    const there = new Set(packs.flatMap(chunksIn));
    const isWhole = ledger.known(found.name)?.chunks.every((chunk) => there.has(chunk));
    if (isWhole === true) return { snapshot, packs };
  }
}

/** Undefined: it was forgotten, and a listing shows it still. */
async function openIfThere(
  repository: ReaderRepository,
  cover: OpenedCover,
): Promise<SnapshotReader | undefined> {
  try {
    return await openSnapshot(repository, cover, emit, NO_ABORT);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}

/** Unless there is nothing to land, or what there is cannot be read today. */
export async function land(
  machine: Machine,
  source: WriterId,
  repository: ReaderRepository,
  ledger: Ledger,
  process: Process,
): Promise<void> {
  try {
    await landNewest(machine, source, repository, ledger, process);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    process.count('landings that failed');
  }
}

async function landNewest(
  machine: Machine,
  source: WriterId,
  repository: ReaderRepository,
  ledger: Ledger,
  process: Process,
): Promise<void> {
  const beganMs = process.startedMs;
  const { snapshots } = await readHistory(repository, emit, NO_ABORT);
  const own = snapshots.filter(({ writer }) => writer === source);
  const found = await newestWhole(repository, own.toReversed(), ledger);
  const known = found && ledger.known(found.snapshot.cover.name);
  if (!known) return;
  const wanted = new Set(known.chunks);
  const { chunkIdKey } = found.snapshot;
  const remember = rememberVerified(machine.cache.open());
  for (const pack of found.packs) {
    remember(
      chunkIdKey,
      pack,
      Uint8Array.from(chunksIn(pack), (id) => (wanted.has(id) ? 1 : 0)),
    );
  }
  machine.state = withLanded(machine.state, {
    install: 'openclaw',
    source: 'openclaw',
    chunkIdKey,
  });
  machine.content.land(known.chunks);
  machine.landedMs = beganMs;
  process.count('installs landed');
}
