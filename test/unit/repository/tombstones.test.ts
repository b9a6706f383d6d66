/** What is announced to be deleted: only the root key announces, and the store says when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicHalves } from '../../../src/crypto/identity.ts';
import { ed25519KeyPair, systemRandom } from '../../../src/crypto/sodium.ts';
import { readTombstones, writeTombstone } from '../../../src/repository/tombstones.ts';
import { openMemoryStore } from '../../../src/store/memory-store.ts';
import { engineFolder, makeEngine, NO_ABORT, openReader } from '../../support/engine.ts';

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
