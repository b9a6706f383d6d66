/** What a forget can see of snapshots that cannot be restored whole, and what it keeps for them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { listOf } from '../../../../src/maintenance/check/check-lists.ts';
import { findNotWhole } from '../../../../src/maintenance/forget/not-whole.ts';
import { LocalCache } from '../../../../src/repository/cache.ts';
import { readListOf } from '../../../../src/repository/pack-lists.ts';
import { packName } from '../../../../src/repository/pack-reader.ts';
import type { StoredSnapshot } from '../../../../src/repository/snapshot-list.ts';
import { NO_ABORT } from '../../../support/engine.ts';
import { faultStore } from '../../../support/fault-store.ts';
import {
  forgetWorld,
  numbersOf,
  pushDay,
  runForget,
  shownBy,
  type ForgetWorld,
} from '../../../support/forget-world.ts';

type Scene = { readonly world: ForgetWorld; readonly all: readonly StoredSnapshot[] };

async function sceneOf(context: TestContext): Promise<Scene> {
  const world = await forgetWorld(context);
  for (let push = 0; push < 5; push++) await pushDay(world);
  return { world, all: (await shownBy(world)).snapshots };
}

const idsOf = (snapshots: readonly (StoredSnapshot | undefined)[]): string[] =>
  snapshots.flatMap((one) => one?.id ?? []);

/** The pack that nothing before the newest needs. */
async function newestPack({ world, all }: Scene): Promise<string> {
  const [before, newest] = all.slice(-2);
  assert.ok(before && newest);
  const known = new Set((await readListOf(world.reader, before, NO_ABORT)).map(packName));
  const own = (await readListOf(world.reader, newest, NO_ABORT)).map(packName);
  return own.find((name) => !known.has(name)) ?? assert.fail('a pack of its own');
}

test('a pack that is missing, and a list that is damaged, are seen', async (context) => {
  const scene = await sceneOf(context);
  const { world, all } = scene;
  const at = { ...world.reader, store: world.store };
  assert.deepEqual(await findNotWhole(at, all, NO_ABORT), new Set());
  await world.store.delete(await newestPack(scene), NO_ABORT);
  const second = all[1] ?? assert.fail();
  await world.store.put(listOf(second), new Uint8Array(700), {}, NO_ABORT);
  assert.deepEqual(await findNotWhole(at, all, NO_ABORT), new Set(idsOf([all[4], second])));
});

test('the last one that is kept of a dead machine is whole', async (context) => {
  const scene = await sceneOf(context);
  const { world } = scene;
  await world.store.delete(await newestPack(scene), NO_ABORT);
  await runForget(world, { rules: { last: 1 } });
  const { snapshots } = await shownBy(world);
  assert.deepEqual(numbersOf(snapshots, world.machine.state.writer.id), [4, 5]);
});

test('lists that were read once are not read again', async (context) => {
  const { world } = await sceneOf(context);
  const cache = LocalCache.open(join(world.folder, 'cache'), world.reader.id, () => undefined);
  context.after(() => cache.close());
  const reader = { ...world.reader, cache };
  const readLists = async (): Promise<number> => {
    const store = faultStore(world.store);
    await runForget({ reader, store }, { rules: { last: 1 }, dryRun: true });
    return store.operations.filter(({ kind, name }) => kind === 'get' && name.startsWith('lists/'))
      .length;
  };
  assert.deepEqual([await readLists(), await readLists()], [5, 0]);
});
