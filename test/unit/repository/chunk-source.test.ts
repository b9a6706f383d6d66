/** Single chunks, for trees and files that are looked at one by one. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openSnapshot, type SnapshotReader } from '../../../src/repository/snapshot-reader.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import {
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
} from '../../support/engine.ts';
import { noise } from '../../support/tree.ts';

const CONTENT = noise(5, 300_000);

/** A snapshot of one file, from a store of which so many reads of packs come with another byte in each place. */
async function opened(folder: string, spoilt: number) {
  const { store, machine } = await makeEngine(folder);
  const tree = `${folder}/tree`;
  mkdirSync(tree);
  writeFileSync(`${tree}/file`, CONTENT);
  await pushTree(store, machine, tree);
  const asked = { reads: 0 };
  const get: ObjectStore['get'] = async (name, range, signal) => {
    const answer = await store.get(name, range, signal);
    if (!answer || !name.startsWith('packs/') || asked.reads++ >= spoilt) return answer;
    return { ...answer, bytes: answer.bytes.map((byte) => byte ^ 1) };
  };
  const repository = await openReader({ ...store, get });
  const [cover = assert.fail('nothing was pushed')] = await listAll(repository);
  const snapshot = await openSnapshot(repository, cover, () => undefined, NO_ABORT);
  return { snapshot, asked };
}

async function readFileOf({ body, entries, file }: SnapshotReader): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (const root of body.roots) {
    for await (const entry of entries(root)) {
      if (entry.type !== 'file') continue;
      for await (const piece of file(entry)) pieces.push(Buffer.from(piece));
    }
  }
  return Buffer.concat(pieces);
}

test('what comes damaged once is read again', async (context) => {
  const { snapshot, asked } = await opened(engineFolder(context), 1);
  assert.ok((await readFileOf(snapshot)).equals(CONTENT));
  assert.ok(asked.reads > 1);
});

test('what comes damaged twice is damaged, and is not fetched again for every chunk', async (context) => {
  const { snapshot, asked } = await opened(engineFolder(context), Infinity);
  await assert.rejects(readFileOf(snapshot), { code: 'object-damaged' });
  const { reads } = asked;
  assert.ok(reads > 1);
  await assert.rejects(readFileOf(snapshot), { code: 'object-damaged' });
  assert.ok(asked.reads - reads <= 1, `${asked.reads - reads} more reads`);
});
