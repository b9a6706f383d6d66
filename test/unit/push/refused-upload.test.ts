import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { engineFolder, makeEngine, PACK_BYTES, pushTree, refusalOf } from '../../support/engine.ts';
import { faultStore } from '../../support/fault-store.ts';
import { makeTree } from '../../support/tree.ts';

test('a store that refuses while much is still to be read: the push ends at once, with its reason', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 91, { bulkBytes: 16 * PACK_BYTES, databases: true });
  const refuse = faultStore(engine.store, {
    refuse: ({ kind, name }) =>
      kind === 'put' && name.startsWith('packs/')
        ? new FerryError('store-denied', 'the bucket refused')
        : undefined,
  });
  const error = await refusalOf(pushTree(refuse, engine.machine, tree));
  assert.equal(error.code, 'store-denied', error.message);
  const puts = refuse.operations.filter(({ kind }) => kind === 'put');
  assert.ok(puts.length < 10, `${puts.length} packs were tried`);
  assert.deepEqual(readdirSync(engine.machine.scratch), [], 'no private copy is left');
});
