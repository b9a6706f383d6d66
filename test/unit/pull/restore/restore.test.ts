/** What a restore answers with where something is lost on the way. */
import assert from 'node:assert/strict';
import { existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytePathFromText, showPath } from '../../../../src/base/byte-path.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { FerryError } from '../../../../src/base/errors.ts';
import type { FileEntry } from '../../../../src/format/entry.ts';
import { runProcess } from '../../../../src/process/run.ts';
import { restoreTrees } from '../../../../src/pull/restore/restore.ts';
import { openSnapshot } from '../../../../src/repository/snapshot-reader.ts';
import {
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
} from '../../../support/engine.ts';

test('a file whose list of chunks is lost is not counted; its other names are told too', async (context) => {
  const folder = engineFolder(context);
  const { store, machine } = await makeEngine(folder);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'a-lost'), 'gone');
  linkSync(join(tree, 'a-lost'), join(tree, 'b-lost-too'));
  writeFileSync(join(tree, 'c-kept'), 'here it is');
  writeFileSync(join(tree, 'd-empty'), '');
  await pushTree(store, machine, tree);
  const repository = await openReader(store);
  const [chosen] = await listAll(repository);
  assert.ok(chosen);
  const emit = (): void => undefined;
  const opened = await openSnapshot(repository, chosen, emit, NO_ABORT);
  const chunkIds = (entry: FileEntry): Promise<Buffer> =>
    showPath(entry.path) === 'a-lost'
      ? Promise.reject(new FerryError('object-damaged', 'its list does not open'))
      : opened.chunkIds(entry);
  const stage = join(folder, 'stage');
  const targets = opened.body.roots.map((root) => ({ root, stage: bytePathFromText(stage) }));
  const restored = await restoreTrees(
    { snapshot: { ...opened, chunkIds }, targets, ownerOf: () => undefined, setIdAllowed: false },
    { repository, clock: systemClock, emit, tools: { run: runProcess, signal: NO_ABORT } },
    NO_ABORT,
  );
  assert.deepEqual(
    restored.problems.map(({ path }) => path),
    ['state/a-lost', 'state/b-lost-too'],
  );
  assert.deepEqual([restored.files, restored.bytes], [2, 'here it is'.length]);
  assert.ok(!existsSync(join(stage, 'a-lost')) && !existsSync(join(stage, 'b-lost-too')));
});
