/**
 * A push runs at every single store operation of a mark and of a sweep, from its first request to its last: what it
 * commits is whole, also when the prune goes on with what it saw before, and when everything is swept later.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { copyMachine } from '../support/engine-crash.ts';
import { faultStore } from '../support/fault-store.ts';
import {
  assertAllRestore,
  cloneWorld,
  dropSnapshot,
  later,
  pruneWorld,
  pushVersion,
  runPrune,
  type PruneWorld,
} from '../support/prune-world.ts';

/** Does something right before an operation, once. */
function beforeOperation(
  store: ObjectStore,
  number: number,
  act: () => Promise<void>,
): ObjectStore {
  let operations = 0;
  const step = async (): Promise<void> => {
    operations += 1;
    if (operations === number) await act();
  };
  return {
    ...store,
    put: async (...args) => step().then(() => store.put(...args)),
    get: async (...args) => step().then(() => store.get(...args)),
    stat: async (...args) => step().then(() => store.stat(...args)),
    delete: async (...args) => step().then(() => store.delete(...args)),
    dateMs: async (...args) => step().then(() => store.dateMs(...args)),
    async *list(...args) {
      await step();
      yield* store.list(...args);
    },
  };
}

/** The content of version 2 lies in packs that nobody needs: the push brings it back. */
async function garbage(context: TestContext): Promise<PruneWorld> {
  const world = await pruneWorld(context);
  for (const version of [1, 2, 3]) {
    const made = await pushVersion(world, version);
    if (version === 2) await dropSnapshot(world, made);
  }
  later(world, 15);
  return world;
}

async function everyInterleaving(context: TestContext, world: PruneWorld): Promise<void> {
  const recorded = faultStore((await cloneWorld(world)).store);
  await runPrune({ ...world, store: recorded });
  const { length } = recorded.operations;
  context.diagnostic(`${length} operations`);
  assert.ok(length >= 8);
  for (let number = 1; number <= length; number++) {
    const beside = await cloneWorld(world);
    const machine = copyMachine(world.machine, `${world.folder}/beside`);
    const push = async (): Promise<void> => void (await pushVersion(beside, 2, machine));
    await runPrune({ ...beside, store: beforeOperation(beside.store, number, push) });
    for (const _ of [1, 2]) {
      later(beside, 14);
      await runPrune(beside);
    }
    await assertAllRestore(beside, 3, `pushed before operation ${number}`);
  }
}

test('a push beside a mark', async (context) => {
  await everyInterleaving(context, await garbage(context));
});

test('a push beside a sweep', async (context) => {
  const world = await garbage(context);
  await runPrune(world);
  later(world, 14);
  await everyInterleaving(context, world);
});
