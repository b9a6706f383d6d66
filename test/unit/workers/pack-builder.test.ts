import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFrame } from '../../../src/crypto/frames.ts';
import { SEALED_HEADER_BYTES } from '../../../src/format/header.ts';
import { visitDirectory } from '../../../src/format/pack.ts';
import { ChunkTable } from '../../../src/workers/chunk-table.ts';
import { PIPELINE } from '../../../src/workers/limits.ts';
import { PackBuilder } from '../../../src/workers/pack-builder.ts';
import { PackPool, type PackSeed } from '../../../src/workers/pack-pool.ts';
import { noise } from '../../support/tree.ts';

const MIB = 1024 * 1024;

type Built = { readonly length: number; readonly chunks: Buffer[]; readonly contentEnd: number };

/** Packs of 1 MiB from what `fill` adds, each opened again frame by frame. */
function buildPacks(fill: (add: Adder) => void): { packs: Built[]; added: Buffer[] } {
  const pool = PackPool.create(1, MIB);
  const seed = (ordinal: number): PackSeed => ({
    header: noise(ordinal, SEALED_HEADER_BYTES),
    objectKey: { key: noise(ordinal + 100, 32), headerHash: noise(ordinal + 200, 32) },
    ordinal,
  });
  const packs: Built[] = [];
  const added: Buffer[] = [];
  const table = ChunkTable.create(1);
  const builder = new PackBuilder(pool, table, ({ buffer, ordinal, length, directory }) => {
    const bytes = pool.bytes(buffer);
    const chunks: Buffer[] = [];
    let contentEnd = 0;
    visitDirectory(directory, SEALED_HEADER_BYTES, 'a pack', {
      frame: (frame, offset, stored) => {
        const sealed = bytes.subarray(offset, offset + stored);
        assert.ok(openFrame(seed(ordinal).objectKey, frame, false, sealed), 'the frame opens');
        contentEnd = offset + stored;
      },
      chunk: (id) => chunks.push(Buffer.from(id)),
    });
    packs.push({ length, chunks, contentEnd });
    pool.freeAs(buffer, seed(packs.length));
  });
  pool.freeAs(0, seed(0));
  const add: Adder = (bytes, group) => {
    const id = noise(1000 + added.length, 32);
    added.push(id);
    const slot = ~table.claim(id);
    if (group === undefined) builder.addSingle(id, slot, bytes, true);
    else builder.addGrouped(group, id, slot, bytes);
  };
  fill(add);
  builder.finish();
  return { packs, added };
}

type Adder = (bytes: Uint8Array, group?: string) => void;

test('a frame that a pack has no room for is cut, and less than a segment of the pack is padding', () => {
  const segment = 16 * 1024;
  const { packs, added } = buildPacks((add) => {
    for (let at = 0; at < 300; at++) add(noise(at, segment));
  });
  assert.deepEqual(
    packs.flatMap(({ chunks }) => chunks),
    added,
  );
  assert.ok(packs.length > 4);
  for (const { length, contentEnd, chunks } of packs.slice(0, -1)) {
    assert.equal(length, MIB);
    const closing = 100 + chunks.length * 60;
    assert.ok(MIB - contentEnd < segment + closing, `${MIB - contentEnd} bytes without content`);
  }
});

test('more tiny files in one directory than a segment may count are told apart by segments', () => {
  const files = 70_000;
  const { packs, added } = buildPacks((add) => {
    for (let at = 0; at < files; at++) add(Buffer.from([at, at >> 8, at >> 16]), 'a directory');
  });
  const chunks = packs.flatMap((pack) => pack.chunks);
  assert.equal(chunks.length, files);
  assert.ok(Buffer.concat(chunks).equals(Buffer.concat(added)));
  for (const pack of packs) assert.ok(pack.chunks.length <= PIPELINE.chunksPerPackMax);
});
