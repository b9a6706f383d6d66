/** What a restore says on its way: bytes and files, from nothing to all that there are. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FerryEvent } from '../../../../src/base/events.ts';
import {
  engineFolder,
  listAll,
  makeEngine,
  openReader,
  pushTree,
  restoreTo,
} from '../../../support/engine.ts';
import { makeTree } from '../../../support/tree.ts';

test('files are counted as they are whole, those that an earlier run had written too', async (context) => {
  const folder = engineFolder(context);
  const { store, machine } = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 5, { bulkBytes: 3_000_000, databases: true });
  await pushTree(store, machine, tree);
  const reader = await openReader(store);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  const stage = join(folder, 'stage');
  for (const round of ['fresh', 'half', 'all there']) {
    const events: FerryEvent[] = [];
    const restored = await restoreTo(reader, newest, stage, { events });
    const said = events.filter((event) => event.type === 'progress');
    const last = said.at(-1);
    assert.ok(last && restored.files > 20);
    assert.deepEqual(
      [last.filesDone, last.filesTotal, last.bytesDone],
      [restored.files, restored.files, restored.bytes],
      round,
    );
    if (round === 'fresh') rmSync(join(stage, 'bulk-000'));
  }
});
