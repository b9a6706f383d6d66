/** Single chunks, for trees and files that are looked at one by one. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openSnapshot } from '../../../src/repository/snapshot-reader.ts';
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

/** The content of the one file, from a store of which so many reads of packs come with another byte in each place. */
async function readThrough(
  folder: string,
  spoilt: number,
): Promise<{ content: Buffer; reads: number }> {
  const { store, machine } = await makeEngine(folder);
  const tree = `${folder}/tree`;
  mkdirSync(tree);
  writeFileSync(`${tree}/file`, CONTENT);
  await pushTree(store, machine, tree);
  let reads = 0;
  const get: ObjectStore['get'] = async (name, range, signal) => {
    const answer = await store.get(name, range, signal);
    if (!answer || !name.startsWith('packs/') || reads++ >= spoilt) return answer;
    return { ...answer, bytes: answer.bytes.map((byte) => byte ^ 1) };
  };
  const repository = await openReader({ ...store, get });
  const [cover = assert.fail('nothing was pushed')] = await listAll(repository);
  const snapshot = await openSnapshot(repository, cover, () => undefined, NO_ABORT);
  const [root = assert.fail('it has a root')] = snapshot.body.roots;
  const pieces: Buffer[] = [];
  for await (const entry of snapshot.entries(root)) {
    if (entry.type !== 'file') continue;
    for await (const piece of snapshot.file(entry)) pieces.push(Buffer.from(piece));
  }
  return { content: Buffer.concat(pieces), reads };
}

test('what comes damaged once is read again', async (context) => {
  const { content, reads } = await readThrough(engineFolder(context), 1);
  assert.ok(reads > 1 && content.equals(CONTENT));
});

test('what comes damaged every time is damaged', async (context) => {
  await assert.rejects(readThrough(engineFolder(context), Infinity), { code: 'object-damaged' });
});
