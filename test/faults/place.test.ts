/** Places that only look like a repository, and repositories of a later version. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FerryEvent } from '../../src/base/events.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import {
  allObjects,
  cloneStore,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  openWriter,
  pushTree,
  refusalOf,
  type Engine,
} from '../support/engine.ts';
import { makeTree } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'stateferry-place-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let engine: Engine;
let reader: ReaderRepository;

before(async () => {
  engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 81);
  for (let pushes = 0; pushes < 2; pushes++) await pushTree(engine.store, engine.machine, tree);
  reader = await openReader(engine.store);
});

test('a place that is no repository, and one of a newer format', async () => {
  const empty = await cloneStore(engine.store);
  await empty.delete('stateferry.json', NO_ABORT);
  const none = await refusalOf(openReader(empty));
  assert.equal(none.code, 'repository-missing');
  assert.match(none.hint ?? '', /stateferry init/);
  const header = JSON.stringify({ stateferry: { format: 2, repository: reader.id } });
  await empty.put('stateferry.json', Buffer.from(header), {}, NO_ABORT);
  for (const work of [openReader(empty), openWriter(empty, engine.machine)]) {
    const newer = await refusalOf(work);
    assert.equal(newer.code, 'format-too-new');
    assert.match(newer.hint ?? '', /newer stateferry/);
  }
});

test('nobody makes a new repository over one that lost its header', async () => {
  const store = await cloneStore(engine.store);
  await store.delete('stateferry.json', NO_ABORT);
  const before = [...(await allObjects(store)).keys()];
  assert.equal((await refusalOf(makeEngine(folder, store))).code, 'repository-damaged');
  assert.deepEqual([...(await allObjects(store)).keys()], before);
});

test('objects of a newer format are named as such and do not stop the others', async () => {
  const store = await cloneStore(engine.store);
  const all = await listAll(reader);
  const newest = all.at(-1);
  assert.ok(newest);
  const bytes = Buffer.from((await allObjects(store)).get(newest.name) ?? []);
  bytes[7] = 2;
  await store.put(newest.name, bytes, {}, NO_ABORT);
  const events: FerryEvent[] = [];
  const left = await listAll({ ...reader, store }, events);
  assert.equal(left.length, all.length - 1);
  const [problem] = events;
  assert.ok(problem?.type === 'problem' && problem.code === 'format-too-new');
});
