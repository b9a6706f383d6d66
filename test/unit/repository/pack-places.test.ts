/** Where in a pack its chunks lie. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { ObjectId, WriterId } from '../../../src/format/names.ts';
import { SEALED_HEADER_BYTES } from '../../../src/format/header.ts';
import { CODECS, encodeDirectory } from '../../../src/format/pack.ts';
import { PackPlaces } from '../../../src/repository/pack-places.ts';

const TAG_BYTES = 16;
const idOf = (name: string): Buffer => createHash('sha256').update(name).digest();
const chunk = (name: string, length: number): { id: Buffer; length: number } => ({
  id: idOf(name),
  length,
});

function packOf(directory: Uint8Array): PackPlaces {
  const [writer, pack] = ['1'.repeat(16) as WriterId, '2'.repeat(32) as ObjectId];
  return new PackPlaces({ writer, pack, size: 1_000_000, directory });
}

test('every chunk is found where the directory says, and no other', () => {
  const many = Array.from({ length: 500 }, (_, number) => chunk(`many-${number}`, number + 1));
  const rawLength = many.reduce((sum, { length }) => sum + length, 0);
  const directory = encodeDirectory([
    {
      storedLength: 300 + TAG_BYTES,
      segments: [
        {
          codec: CODECS.stored,
          storedLength: 100,
          rawLength: 100,
          chunks: [chunk('a', 30), chunk('b', 70)],
        },
        { codec: CODECS.zstd, storedLength: 200, rawLength: 900, chunks: [chunk('c', 900)] },
      ],
    },
    {
      storedLength: 5000 + TAG_BYTES,
      segments: [{ codec: CODECS.zstd, storedLength: 5000, rawLength, chunks: many }],
    },
  ]);
  const places = packOf(directory);
  const first = { frame: 0, frameOffset: SEALED_HEADER_BYTES, frameStored: 300 + TAG_BYTES };
  const stored = { codec: CODECS.stored, segmentOffset: 0, segmentStored: 100, segmentRaw: 100 };
  const zipped = { codec: CODECS.zstd, segmentOffset: 100, segmentStored: 200, segmentRaw: 900 };
  assert.deepEqual(places.get(idOf('a')), { ...first, ...stored, offset: 0, length: 30 });
  assert.deepEqual(places.get(idOf('b')), { ...first, ...stored, offset: 30, length: 70 });
  assert.deepEqual(places.get(idOf('c')), { ...first, ...zipped, offset: 0, length: 900 });
  let offset = 0;
  for (const { id, length } of many) {
    const place = places.get(id);
    assert.deepEqual([place?.frame, place?.offset, place?.length], [1, offset, length]);
    offset += length;
  }
  for (let number = 500; number < 1500; number++) {
    assert.equal(places.get(idOf(`many-${number}`)), undefined);
  }
});

test('a pack without chunks has none', () => {
  assert.equal(packOf(encodeDirectory([])).get(idOf('a')), undefined);
});
