/** A repository with days behind it, on a store whose clock the test moves; and forgets of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ByteWriter, fromHex } from '../../src/base/bytes.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { encodeHeader } from '../../src/format/header.ts';
import type { ObjectId } from '../../src/format/names.ts';
import { forget, type Forgotten, type ForgetRequest } from '../../src/maintenance/forget/forget.ts';
import { findHoles, findRollbacks, readHistory } from '../../src/repository/history.ts';
import type { StoredSnapshot } from '../../src/repository/snapshot-list.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import {
  engineFolder,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  type Machine,
  type PushOptions,
} from './engine.ts';
import { later, type PruneWorld } from './prune-world.ts';

export type ForgetWorld = PruneWorld;

export async function forgetWorld(context: TestContext): Promise<ForgetWorld> {
  const clock = { nowMs: Date.UTC(2026, 0, 5, 3) };
  const store = openMemoryStore({ nowMs: () => clock.nowMs });
  const folder = engineFolder(context);
  const engine = await makeEngine(folder, store);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  return { ...engine, tree, clock, reader: await openReader(store) };
}

/** One snapshot, and then a day goes by. */
export async function pushDay(
  world: ForgetWorld,
  options: PushOptions & { readonly machine?: Machine } = {},
): Promise<string> {
  const { machine = world.machine, ...more } = options;
  writeFileSync(join(world.tree, 'turns'), `the turns until ${world.clock.nowMs}\n`);
  const { id } = await pushTree(world.store, machine, world.tree, more);
  later(world, 1);
  return id;
}

type At = Pick<ForgetWorld, 'reader' | 'store'>;

export async function runForget(
  { reader, store }: At,
  request: Omit<ForgetRequest, 'history'>,
  events: FerryEvent[] = [],
): Promise<Forgotten> {
  const repository = { ...reader, store };
  const emit = (event: FerryEvent): void => void events.push(event);
  const history = await readHistory(repository, emit, NO_ABORT);
  const deps = { repository, random: systemRandom, emit };
  return forget({ history, ...request }, deps, NO_ABORT);
}

export type Shown = {
  readonly snapshots: readonly StoredSnapshot[];
  /** Everything that a check would say. */
  readonly wrong: readonly unknown[];
};

export async function shownBy({ reader, store }: At): Promise<Shown> {
  const events: FerryEvent[] = [];
  const emit = (event: FerryEvent): void => void events.push(event);
  const history = await readHistory({ ...reader, store }, emit, NO_ABORT);
  const wrong = [...events, ...findHoles(history), ...findRollbacks(history, {})];
  return { snapshots: history.snapshots, wrong };
}

export const numbersOf = (
  snapshots: readonly Pick<StoredSnapshot, 'writer' | 'cover'>[],
  writer: string,
): number[] =>
  snapshots.flatMap((one) => (one.writer === writer ? [one.cover.sequence] : [])).toSorted(byValue);

const byValue = (a: number, b: number): number => a - b;

/** What a grant says in the clear, over a box that nobody opens. */
export async function putGrant(
  store: ObjectStore,
  repository: string,
  id: string,
  { writer, id: snapshot }: Pick<StoredSnapshot, 'writer' | 'id'>,
  endsAtMs: number,
): Promise<string> {
  const object = id as ObjectId;
  const place = { repository: fromHex(repository), writer, object };
  const bytes = new ByteWriter()
    .bytes(encodeHeader({ kind: 'grant', ...place }))
    .bytes(fromHex(snapshot))
    .u64(endsAtMs)
    .bytes(new Uint8Array(2000));
  await store.put(`grants/${id}`, bytes.take(), {}, NO_ABORT);
  return `grants/${id}`;
}
