/** In which order packs come down. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PIPELINE } from '../../../../src/workers/limits.ts';
import { workerCount } from '../../../../src/workers/tasks.ts';
import {
  engineFolder,
  listAll,
  makeEngine,
  openReader,
  PACK_BYTES,
  pushTree,
  restoreTo,
} from '../../../support/engine.ts';
import { noise } from '../../../support/tree.ts';

test('packs do not all come down at the same time: the last buffer waits until one is there', async (t) => {
  const folder = engineFolder(t);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  const buffers = workerCount() + PIPELINE.spareBuffers;
  for (let file = 0; file < 2 * buffers; file++) {
    writeFileSync(join(tree, `${file}`), noise(file, PACK_BYTES));
  }
  await pushTree(engine.store, engine.machine, tree);
  const under = { now: 0, most: 0, mostBeforeOne: 0, ended: 0 };
  const store: typeof engine.store = {
    ...engine.store,
    getInto: async (...args) => {
      under.now += 1;
      under.most = Math.max(under.most, under.now);
      if (under.ended === 0) under.mostBeforeOne = Math.max(under.mostBeforeOne, under.now);
      // Whoever may begin meanwhile does.
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      const answer = await engine.store.getInto(...args);
      under.now -= 1;
      under.ended += 1;
      return answer;
    },
  };
  const reader = await openReader(store);
  const [chosen] = await listAll(reader);
  assert.ok(chosen);
  const restored = await restoreTo(reader, chosen, join(folder, 'stage'));
  assert.equal(restored.files, 2 * buffers);
  assert.equal(under.mostBeforeOne, buffers - 1);
  assert.ok(under.ended > buffers && under.most <= buffers);
});
