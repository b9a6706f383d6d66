/**
 * Somebody with the keys who repacks: by the ledger's word on what lives, since the chunks of a simulation are in no
 * tree, and with the real records, indexes and rules. What is sealed here is what a repack stores.
 */
import { publicHalves } from '../../src/crypto/identity.ts';
import type { IndexedPack } from '../../src/format/index-object.ts';
import { idFromBytes, type ObjectId, type WriterId } from '../../src/format/names.ts';
import type { ListedPack } from '../../src/format/pack-list.ts';
import { REPACK_LIMITS } from '../../src/maintenance/repack.ts';
import { choosePacks } from '../../src/maintenance/repack-plan.ts';
import { lookAtStore, readUsed } from '../../src/maintenance/store-look.ts';
import { writeIndex } from '../../src/repository/indexes.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import { readListOf } from '../../src/repository/pack-lists.ts';
import { packName } from '../../src/repository/pack-reader.ts';
import { readRepackRecords, writeRepackRecord } from '../../src/repository/repack-records.ts';
import { Replacements, standingOf } from '../../src/repository/replacements.ts';
import { chunksIn, sealPack } from './content.ts';
import type { Dice } from './dice.ts';
import type { Ledger } from './ledger.ts';
import type { Process } from './world.ts';

const NO_ABORT = new AbortController().signal;

type Needed = {
  readonly pack: ListedPack;
  readonly snapshots: Set<string>;
  readonly writers: Set<WriterId>;
};

export async function repackSome(
  repository: ReaderRepository,
  { ledger, dice, graceMs }: { ledger: Ledger; dice: Dice; graceMs: number },
  process: Process,
): Promise<void> {
  const emit = (): void => undefined;
  const { nowMs, packs, view } = await lookAtStore({ repository, emit }, NO_ABORT);
  const { snapshots } = await readUsed({ repository, emit }, view, NO_ABORT);
  const { records } = await readRepackRecords(repository, emit, NO_ABORT);
  const replacements = new Replacements(records, standingOf(view.sizes, view.announced));
  const needed = new Map<string, Needed>();
  const living = new Set<string>();
  for (const snapshot of snapshots) {
    for (const chunk of ledger.known(snapshot.name)?.chunks ?? []) living.add(chunk);
    const listed = await readListOf(repository, snapshot, NO_ABORT);
    for (const pack of replacements.leanOf([snapshot.digest], listed)) {
      const one = needed.get(packName(pack)) ?? { pack, snapshots: new Set(), writers: new Set() };
      needed.set(packName(pack), one);
      one.snapshots.add(snapshot.digest);
      one.writers.add(snapshot.writer);
    }
  }
  const lives = [...needed].map(([name, { pack }]) => {
    const chunks = ledger.chunksOf(name);
    const left = chunks.filter((chunk) => living.has(chunk)).length;
    const isOld = nowMs - (packs.get(name)?.modifiedMs ?? nowMs) >= graceMs;
    const isSound = !view.announced.has(name) && ledger.wounds.of(name) === undefined;
    const livingBytes = (pack.size * left) / Math.max(1, chunks.length);
    return { name, pack, livingBytes, mayGo: isOld && isSound };
  });
  for (const { name } of choosePacks(lives, REPACK_LIMITS).chosen) {
    const one = needed.get(name);
    const left = ledger.chunksOf(name).filter((chunk) => living.has(chunk));
    if (one) await move(repository, one, left, ledger, dice, process);
  }
}

async function move(
  repository: ReaderRepository,
  { pack, snapshots, writers }: Needed,
  chunks: readonly string[],
  ledger: Ledger,
  dice: Dice,
  process: Process,
): Promise<void> {
  const { store, id, identity } = repository;
  const random = (length: number): Uint8Array => dice.noise(length);
  const { recipient } = publicHalves(identity);
  const place = { id, recipient, writer: { id: pack.writer } };
  const made: IndexedPack[] = [];
  if (chunks.length > 0) {
    const sealed = sealPack(place, idFromBytes<ObjectId>(random(16)), chunks);
    ledger.sealed(packName(sealed.pack), chunksIn(sealed.pack));
    await store.put(packName(sealed.pack), sealed.bytes, {}, NO_ABORT);
    made.push(sealed.pack);
    for (const writer of writers) {
      const key = repository.writers.get(writer)?.subkeys.index;
      if (key) await writeIndex(store, { repository: id, writer, key }, made, random, NO_ABORT);
    }
  }
  const record = {
    writer: pack.writer,
    snapshots: [...snapshots].toSorted(),
    packs: made.map((one) => ({ pack: one.pack, size: one.size })),
    emptied: [{ pack: pack.pack, into: made.map((_, at) => at) }],
  };
  await writeRepackRecord(repository, record, random, NO_ABORT);
  process.count('packs emptied');
}
