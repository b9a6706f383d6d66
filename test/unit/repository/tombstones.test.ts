/** What is announced to be deleted: only the root key announces, and the store says when. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHex } from '../../../src/base/bytes.ts';
import { publicHalves } from '../../../src/crypto/identity.ts';
import { ed25519KeyPair, systemRandom } from '../../../src/crypto/sodium.ts';
import { LocalCache } from '../../../src/repository/cache.ts';
import { readTombstones, writeTombstone } from '../../../src/repository/tombstones.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { engineFolder, makeEngine, NO_ABORT, openReader, pushTree } from '../../support/engine.ts';

const PACK = `packs/${'a'.repeat(32)}/${'b'.repeat(32)}`;
const LIST = `lists/${'a'.repeat(32)}/${'c'.repeat(32)}`;

test('what was stored is read back with the time of the store', async (context) => {
  let nowMs = 1_000_000;
  const store = openMemoryStore({ nowMs: () => nowMs });
  await makeEngine(engineFolder(context), store);
  const reader = await openReader(store);
  nowMs = 5_000_000;
  const { name, bytes } = await writeTombstone(reader, [PACK, LIST], systemRandom, NO_ABORT);
  nowMs = 9_000_000;
  const { root } = publicHalves(reader.identity);
  const place = { store, id: reader.id, root };
  const read = await readTombstones(place, () => assert.fail('it is valid'), NO_ABORT);
  assert.deepEqual(read, [{ name, size: bytes, modifiedMs: 5_000_000, condemned: [LIST, PACK] }]);
});

test('one of another root key, of another name or cut short is announced and left out', async (context) => {
  const { store } = await makeEngine(engineFolder(context));
  const reader = await openReader(store);
  const stranger = { ...reader.identity, root: ed25519KeyPair(systemRandom(32)) };
  await writeTombstone({ ...reader, identity: stranger }, [PACK], systemRandom, NO_ABORT);
  const { name } = await writeTombstone(reader, [PACK], systemRandom, NO_ABORT);
  const { bytes } = (await store.get(name, undefined, NO_ABORT)) ?? assert.fail('it was stored');
  await store.put(`tombstones/${'d'.repeat(32)}`, bytes, {}, NO_ABORT);
  await store.put(name, bytes.subarray(0, -1), {}, NO_ABORT);
  await store.put('tombstones/no-id-of-ours', bytes, {}, NO_ABORT);
  const said: string[] = [];
  const place = { store, id: reader.id, root: publicHalves(reader.identity).root };
  const read = await readTombstones(
    place,
    (event) => void said.push('code' in event ? event.code : event.type),
    NO_ABORT,
  );
  assert.deepEqual(read, []);
  assert.deepEqual(said, ['tombstone-ignored', 'tombstone-ignored', 'tombstone-ignored']);
});

/** The store, and which tombstones it was asked for since the last look. */
function watched(store: ObjectStore): { readonly store: ObjectStore; asked(): string[] } {
  const names: string[] = [];
  const get: ObjectStore['get'] = (name, range, signal) => {
    if (name.startsWith('tombstones/')) names.push(name);
    return store.get(name, range, signal);
  };
  return { store: { ...store, get }, asked: () => names.splice(0) };
}

test('a push fetches only those that are new to it', async (context) => {
  const folder = engineFolder(context);
  const { store, asked } = watched(openMemoryStore());
  const { machine } = await makeEngine(folder, store);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  const pushNext = async (text: string): Promise<string[]> => {
    writeFileSync(join(tree, 'a.txt'), text);
    await pushTree(store, machine, tree);
    return asked().toSorted();
  };
  const reader = await openReader(store);
  const condemn = async (): Promise<string> =>
    (await writeTombstone(reader, [PACK], systemRandom, NO_ABORT)).name;
  const three = [await condemn(), await condemn(), await condemn()].toSorted();
  assert.deepEqual(await pushNext('one'), three);
  assert.deepEqual(await pushNext('two'), []);
  const newer = await condemn();
  assert.deepEqual(await pushNext('three'), [newer]);
  // One that is gone is forgotten.
  const [first = ''] = three;
  const { bytes } = (await store.get(first, undefined, NO_ABORT)) ?? assert.fail(first);
  await store.delete(first, NO_ABORT);
  asked();
  assert.deepEqual(await pushNext('four'), []);
  await store.put(first, bytes, {}, NO_ABORT);
  assert.deepEqual(await pushNext('five'), [first]);
});

test('a place and its mirror do not make each other forget', async (context) => {
  const folder = engineFolder(context);
  const { store, asked } = watched(openMemoryStore());
  await makeEngine(folder, store);
  const reader = await openReader(store);
  await writeTombstone(reader, [PACK], systemRandom, NO_ABORT);
  const cache = LocalCache.open(join(folder, 'cache'), reader.id, () => assert.fail('it works'));
  const place = { store, id: reader.id, root: publicHalves(reader.identity).root, cache };
  const mirror = { ...place, store: { ...openMemoryStore(), location: 'its mirror' } };
  const read = async (of: typeof place): Promise<number> =>
    (await readTombstones(of, () => assert.fail('it is valid'), NO_ABORT)).length;
  assert.deepEqual([await read(place), await read(mirror), asked().length], [1, 0, 1]);
  assert.deepEqual([await read(place), asked()], [1, []]);
  cache.close();
});

test('from the cache it says the same, and a damaged row is read again', async (context) => {
  const folder = engineFolder(context);
  const { store, asked } = watched(openMemoryStore());
  await makeEngine(folder, store);
  const reader = await openReader(store);
  const { name, bytes } = await writeTombstone(reader, [PACK, LIST], systemRandom, NO_ABORT);
  const cache = LocalCache.open(join(folder, 'cache'), reader.id, () => assert.fail('it works'));
  const { root } = publicHalves(reader.identity);
  const place = { store, id: reader.id, root, cache };
  const read = () => readTombstones(place, () => assert.fail('it is valid'), NO_ABORT);
  const first = await read();
  assert.deepEqual(first[0]?.condemned, [LIST, PACK]);
  assert.deepEqual(asked(), [name]);
  assert.deepEqual([await read(), asked()], [first, []]);
  const row = `${name} ${bytes} ${toHex(root)}`;
  const good = cache.object(row) ?? assert.fail('it is kept');
  for (const damage of [good.subarray(0, -1), good.with(good.length - 1, (good.at(-1) ?? 0) ^ 1)]) {
    cache.setObject(row, damage);
    assert.deepEqual([await read(), asked()], [first, [name]]);
  }
  // Another key believes nothing of it.
  const stranger = { ...place, root: ed25519KeyPair(systemRandom(32)).publicKey };
  let ignored = 0;
  assert.deepEqual(await readTombstones(stranger, () => (ignored += 1), NO_ABORT), []);
  assert.deepEqual([ignored, asked()], [1, [name]]);
  cache.close();
});
