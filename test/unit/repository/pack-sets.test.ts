/** Sets of packs as bits: nothing may get lost in them, since what no set has is deleted some day. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cryptoReady } from '../../../src/crypto/sodium.ts';
import type { ObjectId, WriterId } from '../../../src/format/names.ts';
import type { ListedPack } from '../../../src/format/pack-list.ts';
import { PackSets } from '../../../src/repository/pack-sets.ts';
import { packName } from '../../../src/repository/pack-reader.ts';

await cryptoReady();

const WRITER = 'a'.repeat(32) as WriterId;
const pack = (number: number): ListedPack => ({
  writer: WRITER,
  pack: number.toString(16).padStart(32, '0') as ObjectId,
  size: 1,
});
const list = (number: number): string => `lists/${WRITER}/${number.toString(16).padStart(32, '0')}`;

test('what any set has is in the union, before and after the cache, and nothing else', () => {
  const numbers = fc.uniqueArray(fc.nat(60), { maxLength: 40 });
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 12 }), fc.nat(11), (all, dropped) => {
      const sets = new PackSets();
      for (const [at, packs] of all.entries()) sets.add(list(at), 100 + at, packs.map(pack));
      sets.keep((name, bytes) => name !== list(dropped) && bytes >= 100);
      const left = all.filter((_, at) => at !== dropped);
      const expected = new Set(left.flat().map((number) => packName(pack(number))));
      assert.deepEqual(sets.union(), expected);
      const encoded = sets.encode() ?? assert.fail('it is small');
      const decoded = PackSets.decode(encoded, 'lists');
      assert.deepEqual(sortedSet(decoded.union()), sortedSet(expected));
      for (const [at, packs] of all.entries()) {
        assert.equal(decoded.has(list(at)), at !== dropped);
        const names = new Set(packs.map((number) => packName(pack(number))));
        assert.equal(decoded.meets(list(at), names), at !== dropped && packs.length > 0);
      }
      decoded.add(list(50), 1, [pack(99)]);
      assert.ok(decoded.union().has(packName(pack(99))));
    }),
  );
});

const sortedSet = (names: ReadonlySet<string>): string[] => [...names].toSorted();

test('a row that is not what was written is none', () => {
  const sets = new PackSets();
  sets.add(list(1), 10, [pack(1), pack(2)]);
  const encoded = sets.encode() ?? assert.fail('it is small');
  for (let at = 0; at < encoded.length; at++) {
    const changed = Buffer.from(encoded);
    changed[at] = (changed[at] ?? 0) ^ 4;
    assert.throws(() => PackSets.decode(changed, 'lists'), { code: 'object-damaged' });
    assert.throws(() => PackSets.decode(encoded.subarray(0, at), 'lists'), {
      code: 'object-damaged',
    });
  }
});

test('ten thousand sets of five thousand packs are kept in few bytes', () => {
  const sets = new PackSets();
  const packs = Array.from({ length: 5000 }, (_, number) => pack(number));
  for (let at = 0; at < 10_000; at++) sets.add(list(at), 10, packs.slice(at / 2, at / 2 + 3));
  const encoded = sets.encode() ?? assert.fail('it is small');
  assert.ok(encoded.length < 8 * 1024 * 1024, `${encoded.length} bytes`);
  assert.equal(PackSets.decode(encoded, 'lists').union().size, 5000);
});
