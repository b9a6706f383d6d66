import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexedPack } from '../../../../src/format/index-object.ts';
import type { ObjectId, WriterId } from '../../../../src/format/names.ts';
import { WantedChunks, wantFrom } from '../../../../src/pull/restore/wanted-chunks.ts';
import type { Wanted } from '../../../../src/pull/restore/wanted.ts';
import { IdOffsets } from '../../../../src/repository/id-offsets.ts';
import { ChunkTable } from '../../../../src/workers/chunk-table.ts';
import { noise } from '../../../support/tree.ts';

const ID_BYTES = 32;
const HEAD_BYTES = 9;
const IDS = Array.from({ length: 300 }, (_, at) => noise(at, ID_BYTES));

/** Ids that stand in a row after some other bytes. */
const packOf = (...ids: readonly Buffer[]): IndexedPack => ({
  writer: 'w' as WriterId,
  pack: 'p' as ObjectId,
  size: 0,
  directory: Buffer.concat([noise(999, HEAD_BYTES), ...ids]),
});

function scene(...contents: readonly (readonly Buffer[])[]) {
  const packs: IndexedPack[] = [];
  const table = ChunkTable.create(IDS.length);
  const offsets = new IdOffsets();
  const put = (ordinal: number, ids: readonly Buffer[]): void => {
    packs[ordinal] = packOf(...ids);
    for (const [at, id] of ids.entries()) {
      offsets.set(table.add(id, ordinal), HEAD_BYTES + at * ID_BYTES);
    }
  };
  for (const [ordinal, ids] of contents.entries()) put(ordinal, ids);
  return { packs, chunks: { table, offsets }, put, rebuild: () => Promise.resolve(false) };
}

const idsOf = (wanted: Wanted | undefined): string =>
  Buffer.from(wanted?.columns().ids ?? []).toString('hex');
const hex = (ids: readonly Buffer[]): string => Buffer.concat(ids).toString('hex');

test('columns have the ids that were asked for, in that order', () => {
  const snapshot = scene(IDS.slice(0, 200), IDS.slice(200));
  const chunks = new WantedChunks(snapshot);
  for (const [file, id] of IDS.toReversed().entries()) chunks.add({ id, file, chunk: file * 2 });
  assert.equal(idsOf(chunks.byPack.get(0)), hex(IDS.slice(0, 200).toReversed()));
  assert.equal(idsOf(chunks.byPack.get(1)), hex(IDS.slice(200).toReversed()));
  const columns = chunks.byPack.get(0)?.columns();
  assert.deepEqual(columns?.files.slice(0, 2), Uint32Array.of(100, 101));
  assert.deepEqual(columns?.chunks.slice(0, 2), Uint32Array.of(200, 202));
});

test('a directory that is put right meanwhile changes nothing that was wanted before', () => {
  const [first, second, third] = IDS as [Buffer, Buffer, Buffer];
  const snapshot = scene([first, second]);
  const chunks = new WantedChunks(snapshot);
  chunks.add({ id: second, file: 0, chunk: 0 });
  snapshot.put(0, [third, first]);
  chunks.add({ id: first, file: 1, chunk: 0 });
  chunks.add({ id: third, file: 2, chunk: 0 });
  assert.equal(idsOf(chunks.byPack.get(0)), hex([second, first, third]));
});

test('what no directory has any more is in no pack, and neither is what only begins like it', async () => {
  const [first, second] = IDS as [Buffer, Buffer];
  const snapshot = scene([first]);
  const alike = Buffer.concat([first.subarray(0, 16), second.subarray(16)]);
  snapshot.packs[0] = packOf(second);
  const chunks = new WantedChunks(snapshot);
  chunks.add({ id: first, file: 1, chunk: 0 });
  chunks.add({ id: alike, file: 2, chunk: 0 });
  assert.deepEqual(await chunks.seekUnknown(), new Set([1, 2]));
});

test('a pack that was tried is passed over', () => {
  const [id] = IDS as [Buffer];
  const snapshot = scene([id], [id]);
  const next = new Map<number, Wanted>();
  assert.ok(wantFrom(snapshot, { id, file: 0, chunk: 0 }, next, new Set([1])));
  assert.deepEqual([...next.keys()], [0]);
  assert.ok(!wantFrom(snapshot, { id, file: 0, chunk: 0 }, next, new Set([0, 1])));
});
