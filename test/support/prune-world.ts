/** A repository whose store has a clock that the test moves, with pushes that each leave packs of their own. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DAY_MS } from '../../src/base/durations.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { GRACE } from '../../src/maintenance/prune/prune-plan.ts';
import { prune, type Pruned, type PruneRequest } from '../../src/maintenance/prune/prune.ts';
import { writeForgetRecord } from '../../src/repository/forget-records.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import {
  allObjects,
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  restoreTo,
  type Engine,
  type Machine,
} from './engine.ts';
import { makeTree, noise } from './tree.ts';

export type PruneWorld = Engine & {
  readonly tree: string;
  readonly reader: ReaderRepository;
  readonly clock: { nowMs: number };
};

export async function pruneWorld(context: TestContext): Promise<PruneWorld> {
  const clock = { nowMs: Date.UTC(2026, 0, 5) };
  const store = openMemoryStore({ nowMs: () => clock.nowMs });
  const folder = engineFolder(context);
  const engine = await makeEngine(folder, store);
  const tree = join(folder, 'tree');
  makeTree(tree, 5, { bulkBytes: 400_000 });
  return { ...engine, tree, clock, reader: await openReader(store) };
}

export const later = (world: PruneWorld, days: number): void => {
  world.clock.nowMs += days * DAY_MS;
};

/** A snapshot with a file that no other one has. */
export async function pushVersion(
  world: PruneWorld,
  version: number,
  machine: Machine = world.machine,
): Promise<OpenedCover> {
  writeFileSync(join(world.tree, 'version'), noise(900 + version, 150_000));
  const pushed = await pushTree(world.store, machine, world.tree);
  const reader = { ...world.reader, store: world.store };
  const made = (await listAll(reader)).find(({ id }) => id === pushed.id);
  return made ?? assert.fail('what was pushed is listed');
}

/** As forget does it: the record first. */
export async function dropSnapshot(
  { store, reader }: PruneWorld,
  { name, writer, digest, cover }: OpenedCover,
): Promise<void> {
  const record = { writer, snapshots: [{ sequence: cover.sequence, digest }] };
  await writeForgetRecord(reader, record, systemRandom, NO_ABORT);
  await store.delete(name, NO_ABORT);
}

export async function runPrune(
  { reader, store }: Pick<PruneWorld, 'reader' | 'store'>,
  events: FerryEvent[] = [],
  request: PruneRequest = { graceMs: GRACE.defaultMs, seen: {} },
): Promise<Pruned> {
  const emit = (event: FerryEvent): void => void events.push(event);
  return await prune(
    request,
    { repository: { ...reader, store }, random: systemRandom, emit },
    NO_ABORT,
  );
}

/** Every snapshot that is listed restores: each chunk in it is what its id says. */
export async function assertAllRestore(
  { reader, store, folder }: Pick<PruneWorld, 'reader' | 'store' | 'folder'>,
  snapshots: number,
  what?: string,
): Promise<void> {
  const repository = { ...reader, store };
  const events: FerryEvent[] = [];
  const listed = await listAll(repository, events);
  assert.equal(listed.length, snapshots, what);
  for (const snapshot of listed) {
    const out = join(folder, 'restored');
    rmSync(out, { recursive: true, force: true });
    const restored = await restoreTo(repository, snapshot, out, { events });
    assert.deepEqual(restored.problems, [], what);
  }
  assert.deepEqual(
    events.filter(({ type }) => type === 'problem'),
    [],
    what,
  );
}

/** The same objects with the same times, on a store that the same clock moves. */
export async function cloneWorld(world: PruneWorld, store = world.store): Promise<PruneWorld> {
  const clock = { nowMs: 0 };
  const copy = openMemoryStore({ nowMs: () => clock.nowMs });
  for await (const { name, modifiedMs } of store.list('', NO_ABORT)) {
    clock.nowMs = modifiedMs;
    const { bytes } = (await store.get(name, undefined, NO_ABORT)) ?? assert.fail(name);
    await copy.put(name, bytes, {}, NO_ABORT);
  }
  clock.nowMs = world.clock.nowMs;
  return { ...world, store: copy, clock };
}

export const namesBelow = async (store: ObjectStore, prefix: string): Promise<string[]> => [
  ...(await allObjects(store, prefix)).keys(),
];
