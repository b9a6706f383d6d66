/** Packs are read as soon as a snapshot has told the key of their chunks: one of their own machine, if any opens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectId, WriterId } from '../../../../src/format/names.ts';
import type { ListedPack } from '../../../../src/format/pack-list.ts';
import { listOf, type NeededPacks } from '../../../../src/maintenance/check/check-lists.ts';
import { PackKeys } from '../../../../src/maintenance/check/pack-keys.ts';
import { packName } from '../../../../src/repository/pack-reader.ts';
import { PackSets } from '../../../../src/repository/pack-sets.ts';
import type { OpenedCover } from '../../../../src/repository/snapshots.ts';

const OWN = 'a'.repeat(32) as WriterId;
const OTHER = 'b'.repeat(32) as WriterId;
const packOf = (digit: string): ListedPack => ({
  writer: OWN,
  pack: digit.repeat(32) as ObjectId,
  size: 1000,
});
const [FIRST, SECOND] = [packOf('1'), packOf('2')];
/** As much of a snapshot as is looked at here. */
const coverOf = (writer: WriterId): OpenedCover =>
  ({ writer, cover: { packList: writer } }) as unknown as OpenedCover;

function needed(writers: readonly WriterId[]): NeededPacks {
  const sets = new PackSets();
  for (const writer of writers) sets.add(listOf(coverOf(writer)), 0, [FIRST, SECOND]);
  const packs = [FIRST, SECOND].map((pack) => {
    const saidBy = { list: '', by: [] };
    return [packName(pack), { pack, saidBy, writers: new Set(writers) }] as const;
  });
  return { packs: new Map(packs), sets };
}

const names = [FIRST, SECOND].map(packName);
const keyOf = (writer: WriterId): Uint8Array => Buffer.from(writer);

async function readyOf(keys: PackKeys): Promise<string[]> {
  const found: string[] = [];
  for await (const { pack, chunkIdKey } of keys.ready()) {
    found.push(`${pack.pack[0] ?? ''}${Buffer.from(chunkIdKey).toString()[0] ?? ''}`);
  }
  return found;
}

test('a pack is ready while others are still waited for', async () => {
  const keys = new PackKeys(needed([OWN]), names);
  const ready = keys.ready();
  const first = ready.next();
  keys.opened(keyOf(OWN), coverOf(OWN));
  assert.equal((await first).done, false);
  keys.complete();
  await ready.next();
  assert.equal((await ready.next()).done, true);
});

test('what its own machine says counts before what another says first', async () => {
  const keys = new PackKeys(needed([OWN, OTHER]), names);
  keys.opened(keyOf(OTHER), coverOf(OTHER));
  keys.opened(keyOf(OWN), coverOf(OWN));
  keys.complete();
  assert.deepEqual(await readyOf(keys), ['1a', '2a']);
});

test('another counts where its own machine has no snapshot, or none that opens', async () => {
  for (const writers of [[OTHER], [OWN, OTHER]]) {
    const keys = new PackKeys(needed(writers), names);
    keys.opened(keyOf(OTHER), coverOf(OTHER));
    keys.complete();
    assert.deepEqual(await readyOf(keys), ['1b', '2b']);
  }
});

test('a pack whose snapshots all stay closed is not read', async () => {
  const keys = new PackKeys(needed([OWN]), names);
  keys.complete();
  assert.deepEqual(await readyOf(keys), []);
});
