/** What stands in for a pack, by what repack records say and what the store shows. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { idFromBytes, type ObjectId, type WriterId } from '../../../src/format/names.ts';
import type { RepackRecord } from '../../../src/format/repack-record.ts';
import { ed25519KeyPair, systemRandom } from '../../../src/crypto/sodium.ts';
import { packName } from '../../../src/repository/pack-reader.ts';
import { readRepackRecords, writeRepackRecord } from '../../../src/repository/repack-records.ts';
import { engineFolder, makeEngine, NO_ABORT, openReader } from '../../support/engine.ts';
import { Replacements } from '../../../src/repository/replacements.ts';

const WRITER = idFromBytes<WriterId>(Buffer.alloc(16, 1));
const OTHER = idFromBytes<WriterId>(Buffer.alloc(16, 2));
const [OLD, NEW, SECOND, NEWEST] = ['aa', 'bb', 'cc', 'dd'].map((digits) => ({
  writer: WRITER,
  pack: digits.repeat(16) as ObjectId,
  size: 100,
}));
assert.ok(OLD && NEW && SECOND && NEWEST);
const [OURS, THEIRS] = ['11'.repeat(32), '22'.repeat(32)];
type Packs = readonly (typeof OLD)[];

const record = (from: typeof OLD, to: Packs, snapshots = [OURS]): RepackRecord => ({
  writer: WRITER,
  snapshots,
  packs: to.map(({ pack, size }) => ({ pack, size })),
  emptied: [{ pack: from.pack, into: to.map((_, at) => at) }],
});

function replacements(records: readonly RepackRecord[], there: Packs, announced: Packs = []) {
  const seen = new Set(there.map(packName));
  const doomed = new Set(announced.map(packName));
  return new Replacements(records, {
    isThere: (pack) => seen.has(packName(pack)) && pack.size === 100,
    isAnnounced: (name) => doomed.has(name),
  });
}

describe('what a snapshot needs in place of a pack', () => {
  const moved = [record(OLD, [NEW, SECOND])];

  test('is all that the record leads to', () => {
    assert.deepEqual(replacements(moved, [OLD, NEW, SECOND]).of(OURS, OLD), [NEW, SECOND]);
    assert.deepEqual(replacements(moved, [NEW, SECOND]).of(OURS, OLD), [NEW, SECOND]);
    assert.deepEqual(replacements([record(OLD, [])], [OLD]).of(OURS, OLD), []);
  });

  test('is the pack itself for a snapshot that the record does not name', () => {
    const found = replacements(moved, [OLD, NEW, SECOND]);
    assert.equal(found.of(THEIRS, OLD), undefined);
    assert.deepEqual(found.neededOf([OURS, THEIRS], [OLD]), [NEW, SECOND, OLD]);
  });

  test('is the pack itself where the pack is of another machine', () => {
    const foreign = { ...OLD, writer: OTHER };
    assert.equal(replacements(moved, [foreign, NEW, SECOND]).of(OURS, foreign), undefined);
  });

  test('is everything that may help while one of the new packs is gone, torn or announced', () => {
    for (const doubtful of [
      replacements(moved, [OLD, NEW]),
      replacements([record(OLD, [NEW, { ...SECOND, size: 99 }])], [OLD, NEW, SECOND]),
      replacements(moved, [OLD, NEW, SECOND], [SECOND]),
    ]) {
      assert.equal(doubtful.of(OURS, OLD), undefined);
      const needed: string[] = doubtful.neededOf([OURS], [OLD]).map(packName);
      assert.deepEqual(needed, [OLD, NEW, SECOND].map(packName));
    }
  });

  test('follows a chain of records, and ends where it cannot be followed', () => {
    const chain = [record(OLD, [NEW]), record(NEW, [NEWEST])];
    assert.deepEqual(replacements(chain, [NEWEST]).of(OURS, OLD), [NEWEST]);
    assert.deepEqual(replacements(chain, [NEW]).of(OURS, OLD), [NEW]);
    assert.equal(replacements(chain, [OLD, NEW], [NEW]).of(OURS, OLD), undefined);
    const forOthers = [record(OLD, [NEW]), record(NEW, [NEWEST], [THEIRS])];
    assert.equal(replacements(forOthers, [NEWEST]).of(OURS, OLD), undefined);
  });

  test('is what is there in a circle of records', () => {
    const circle = [record(OLD, [NEW]), record(NEW, [OLD])];
    assert.equal(replacements(circle, []).of(OURS, OLD), undefined);
    assert.deepEqual(replacements(circle, [OLD]).of(OURS, OLD), [OLD]);
    assert.deepEqual(replacements(circle, [OLD]).leanOf([OURS], [OLD]), [OLD]);
  });

  test('is by whichever of two records is whole', () => {
    const two = [record(OLD, [NEW]), record(OLD, [SECOND])];
    assert.deepEqual(replacements(two, [NEW, SECOND]).of(OURS, OLD), [NEW]);
    assert.deepEqual(replacements(two, [SECOND]).of(OURS, OLD), [SECOND]);
    assert.deepEqual(replacements(two, [NEW, SECOND], [NEW]).of(OURS, OLD), [SECOND]);
    const neither = replacements(two, [NEW, SECOND], [NEW, SECOND]);
    assert.deepEqual(neither.neededOf([OURS], [OLD]), [OLD, NEW, SECOND]);
  });
});

describe('where to look', () => {
  const moved = [record(OLD, [NEW, SECOND])];

  test('is everything that is there, the old pack too', () => {
    assert.deepEqual(replacements(moved, [OLD, NEW, SECOND]).readableOf(OURS, [OLD]), [
      OLD,
      NEW,
      SECOND,
    ]);
    assert.deepEqual(replacements(moved, [NEW]).readableOf(OURS, [OLD]), [NEW]);
    assert.deepEqual(replacements(moved, []).readableOf(OURS, [OLD]), [OLD]);
    assert.deepEqual(replacements([record(OLD, [])], []).readableOf(OURS, [OLD]), []);
  });

  test('names what is lost where nothing helps', () => {
    const names = (there: Packs): string[] =>
      replacements(moved, there).leanOf([OURS], [OLD]).map(packName);
    assert.deepEqual(names([OLD, NEW]), [packName(OLD)]);
    assert.deepEqual(names([NEW]), [OLD, NEW, SECOND].map(packName));
    assert.deepEqual(names([NEW, SECOND]), [NEW, SECOND].map(packName));
  });
});

test('a record that somebody else signed, or that was cut short, means nothing', async (context) => {
  const { store } = await makeEngine(engineFolder(context));
  const reader = await openReader(store);
  const stranger = { ...reader.identity, root: ed25519KeyPair(systemRandom(32)) };
  const forged = { ...reader, identity: stranger };
  await writeRepackRecord(forged, record(OLD, [NEW]), systemRandom, NO_ABORT);
  const name = await writeRepackRecord(reader, record(OLD, [NEW]), systemRandom, NO_ABORT);
  const good = await readRepackRecords(reader, () => undefined, NO_ABORT);
  assert.deepEqual(good.records, [record(OLD, [NEW])]);
  const { bytes } = (await store.get(name, undefined, NO_ABORT)) ?? assert.fail('it was stored');
  await store.put(name, bytes.subarray(0, -1), {}, NO_ABORT);
  await store.put('repacks/no-id-of-ours', bytes, {}, NO_ABORT);
  const said: string[] = [];
  const read = await readRepackRecords(
    reader,
    (event) => void said.push('code' in event ? event.code : event.type),
    NO_ABORT,
  );
  assert.deepEqual([read.records, read.unreadable.length], [[], 2]);
  assert.deepEqual(said, ['repack-record-ignored', 'repack-record-ignored']);
});
