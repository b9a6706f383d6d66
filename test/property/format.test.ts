/** Whatever is written is read back, and whatever bytes are read, the answer is a value or a FerryError. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { asBytePath, parseShownPath, showPath, type BytePath } from '../../src/base/byte-path.ts';
import { ByteReader, ByteWriter, view } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import { cryptoReady } from '../../src/crypto/sodium.ts';
import {
  decodeEntry,
  depthFor,
  encodeEntry,
  ENTRY_LIMITS,
  topIdCount,
  type Entry,
  type EntryBase,
} from '../../src/format/entry.ts';
import { SEALED_HEADER_BYTES } from '../../src/format/header.ts';
import { decodeIndex, encodeIndex, type IndexedPack } from '../../src/format/index-object.ts';
import { idFromBytes, type ObjectId, type WriterId } from '../../src/format/names.ts';
import { decodePackList, encodePackList } from '../../src/format/pack-list.ts';
import {
  decodePaddedDirectory,
  decodeTrailer,
  encodeDirectory,
  encodePaddedDirectory,
  encodeTrailer,
  visitDirectory,
  type DirectoryFrame,
} from '../../src/format/pack.ts';
import { decodePadded, encodePadded } from '../../src/format/padded.ts';
import { comparePaths, decodePage, encodeChild, encodePage } from '../../src/format/page.ts';
import { decodeCover, decodeSnapshotBody, splitSnapshot } from '../../src/format/snapshot.ts';

before(cryptoReady);

const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
const exactly = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const latin1 = (max: number): fc.Arbitrary<string> =>
  bytes(max).map((value) => view(value).toString('latin1'));
const path = (max = 60): fc.Arbitrary<BytePath> => latin1(max).map(asBytePath);
const u32 = fc.nat({ max: 0xffff_ffff });

const base: fc.Arbitrary<EntryBase> = fc.record({
  path: path(),
  mode: fc.nat({ max: 0o7777 }),
  uid: u32,
  gid: u32,
  owner: latin1(255),
  group: latin1(255),
  mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
});
/** Sizes around the edges of chunks and of lists, and any. */
const size = fc.oneof(
  fc.nat({ max: 2 ** 31 }),
  fc.constantFrom(0, 1, 16_384, 16_385, 64 * 16_384, 64 * 16_384 + 1, 2 ** 40, 2 ** 48),
);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  base.map((value): Entry => ({ ...value, type: 'dir' })),
  fc.tuple(base, path()).map(([value, target]): Entry => ({ ...value, type: 'symlink', target })),
  fc.tuple(base, path()).map(([value, target]): Entry => ({ ...value, type: 'hardlink', target })),
  fc
    .tuple(
      base,
      size,
      fc.integer({ min: 12, max: 20 }),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      fc.nat({ max: 255 }),
    )
    .map(([value, fileBytes, log2, sparse, secret, database, fill]): Entry => {
      const chunkBytes = 2 ** log2;
      const depth = depthFor(fileBytes, chunkBytes);
      const ids = Buffer.alloc(topIdCount(fileBytes, chunkBytes, depth) * 32, fill);
      const cut = { size: fileBytes, chunkBytes, depth, ids };
      return { ...value, type: 'file', sparse, secret, database, ...cut };
    }),
);

function encoded(value: Entry): Buffer {
  const writer = new ByteWriter();
  encodeEntry(writer, value);
  return writer.take();
}

test('an entry is read back as it was written', () => {
  fc.assert(
    fc.property(entry, (value) => {
      if (value.type === 'file' && value.depth > ENTRY_LIMITS.depthMax) return;
      const reader = new ByteReader(encoded(value), 'entry');
      assert.deepEqual(decodeEntry(reader), value);
      reader.end();
    }),
  );
});

test('every cut through an entry is damage', () => {
  fc.assert(
    fc.property(
      entry,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (value, part) => {
        const whole = encoded(value);
        const cut = whole.subarray(0, Math.floor(whole.length * part));
        assert.throws(() => decodeEntry(new ByteReader(cut, 'entry')), isDamage);
      },
    ),
  );
});

test('pages are read back, and paths compare like bytes with the slash first', () => {
  const key = (value: BytePath): Buffer => {
    const moved = Buffer.from(value, 'latin1');
    // Slash to 0, everything below it up by one.
    return Buffer.from(moved.map((byte) => (byte === 0x2f ? 0 : byte < 0x2f ? byte + 1 : byte)));
  };
  fc.assert(
    fc.property(fc.uniqueArray(path(12), { maxLength: 30 }), (paths) => {
      const sorted = paths.toSorted(comparePaths);
      assert.deepEqual(
        sorted,
        paths.toSorted((a, b) => Buffer.compare(key(a), key(b))),
      );
      const writer = new ByteWriter();
      const children = sorted.map((firstPath, at) => ({ firstPath, id: Buffer.alloc(32, at) }));
      for (const child of children) encodeChild(writer, child);
      const page = encodePage(3, children.length, writer.view());
      assert.deepEqual(decodePage(page, 3, 'page'), { level: 3, children });
      assert.throws(() => decodePage(page, 2, 'page'), isDamage);
    }),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { maxLength: 10, selector: (value) => value.path }),
      (entries) => {
        const sorted = entries.toSorted((a, b) => comparePaths(a.path, b.path));
        const page = encodePage(0, sorted.length, Buffer.concat(sorted.map(encoded)));
        assert.deepEqual(decodePage(page, undefined, 'page'), { level: 0, entries: sorted });
        if (sorted.length < 2) return;
        const backwards = encodePage(
          0,
          sorted.length,
          Buffer.concat(sorted.toReversed().map(encoded)),
        );
        assert.throws(() => decodePage(backwards, undefined, 'page'), isDamage);
      },
    ),
  );
});

test('a name shown is the name read back, and holds no control character', () => {
  fc.assert(
    fc.property(path(200), (value) => {
      const shown = showPath(value);
      assert.equal(parseShownPath(shown), value);
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(shown, /[\u0000-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 2000 },
  );
});

const segment = fc
  .tuple(
    fc.array(fc.tuple(exactly(32), fc.nat({ max: 5000 })), { maxLength: 5 }),
    fc.option(fc.nat({ max: 9000 })),
  )
  .map(([chunks, packed]) => {
    const rawLength = chunks.reduce((sum, [, length]) => sum + length, 0);
    return {
      codec: packed === null ? (0 as const) : (1 as const),
      storedLength: packed ?? rawLength,
      rawLength,
      chunks: chunks.map(([id, length]) => ({ id, length })),
    };
  });
const directory: fc.Arbitrary<readonly DirectoryFrame[]> = fc.array(
  fc.array(segment, { maxLength: 4 }).map((segments) => ({
    storedLength: segments.reduce((sum, one) => sum + one.storedLength, 16),
    segments,
  })),
  { maxLength: 6 },
);

test('a directory is walked as it was written', () => {
  fc.assert(
    fc.property(directory, fc.nat({ max: 300 }), (frames, spare) => {
      const plain = encodeDirectory(frames);
      const padded = encodePaddedDirectory(plain, plain.length + 4 + spare);
      assert.deepEqual(view(decodePaddedDirectory(padded, 'pack')), view(plain));
      const seen: unknown[] = [];
      visitDirectory(plain, SEALED_HEADER_BYTES, 'pack', {
        frame: (number, offset, stored) => seen.push([number, offset, stored]),
        segment: (codec, offset, stored, raw) => seen.push([codec, offset, stored, raw]),
        chunk: (id, offset, length) => seen.push([id.toString('hex'), offset, length]),
      });
      assert.deepEqual(seen, expectedVisits(frames));
    }),
  );
});

function expectedVisits(frames: readonly DirectoryFrame[]): unknown[] {
  const visits: unknown[] = [];
  let offset = SEALED_HEADER_BYTES;
  for (const [number, frame] of frames.entries()) {
    visits.push([number, offset, frame.storedLength]);
    offset += frame.storedLength;
    let inFrame = 0;
    for (const one of frame.segments) {
      visits.push([one.codec, inFrame, one.storedLength, one.rawLength]);
      inFrame += one.storedLength;
      let inSegment = 0;
      for (const chunk of one.chunks) {
        visits.push([view(chunk.id).toString('hex'), inSegment, chunk.length]);
        inSegment += chunk.length;
      }
    }
  }
  return visits;
}

const pack: fc.Arbitrary<IndexedPack> = fc
  .tuple(exactly(16), exactly(16), fc.nat({ max: 64 * 1024 * 1024 }), bytes(200))
  .map(([writer, id, packBytes, content]) => ({
    writer: idFromBytes<WriterId>(writer),
    pack: idFromBytes<ObjectId>(id),
    size: packBytes,
    directory: view(content),
  }));

test('indexes, pack lists, trailers and padded plaintexts are read back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(pack, { maxLength: 9, selector: (one) => one.pack }), (packs) => {
      const indexed = decodeIndex(encodeIndex(packs), 'index');
      assert.deepEqual(indexed.map(plainPack), packs.map(plainPack));
      const listed = packs.map(({ writer, pack: id, size: packBytes }) => ({
        writer,
        pack: id,
        size: packBytes,
      }));
      const sorted = listed.toSorted((a, b) => (a.writer + a.pack < b.writer + b.pack ? -1 : 1));
      assert.deepEqual(decodePackList(encodePackList(listed), 'list'), sorted);
    }),
  );
  fc.assert(
    fc.property(u32, u32, u32, (frames, directoryOffset, directoryStoredLength) => {
      const trailer = { frames, directoryOffset, directoryStoredLength };
      assert.deepEqual(decodeTrailer(encodeTrailer(trailer), 'pack'), trailer);
    }),
  );
  fc.assert(
    fc.property(bytes(3000), (plain) => {
      const padded = encodePadded(plain);
      assert.ok(padded.length >= 1024 && padded.length % 64 === 0);
      assert.deepEqual(view(decodePadded(padded, 'it')), view(plain));
    }),
  );
});

const plainPack = (one: IndexedPack): object => ({
  ...one,
  directory: view(one.directory).toString('hex'),
});

test('no bytes make a decoder fail with anything but a FerryError', () => {
  const decoders: readonly ((input: Uint8Array) => unknown)[] = [
    (input) => decodeEntry(new ByteReader(input, 'it')),
    (input) => decodePage(input, undefined, 'it'),
    (input) => decodePadded(input, 'it'),
    (input) => decodeIndex(encodePadded(input), 'it'),
    (input) => decodePackList(encodePadded(input), 'it'),
    (input) => decodeTrailer(input, 'it'),
    (input) => decodePaddedDirectory(input, 'it'),
    (input) => visitDirectory(input, SEALED_HEADER_BYTES, 'it', {}),
    (input) => decodeCover(encodePadded(input), 'it'),
    (input) => decodeSnapshotBody(encodePadded(input), 'it'),
    (input) => splitSnapshot(input, 'it'),
  ];
  const small = fc.uint8Array({ maxLength: 120, max: 4 });
  const anything = fc.oneof(
    bytes(300),
    small,
    fc.json().map((text) => Buffer.from(text)),
  );
  for (const decode of decoders) {
    fc.assert(
      fc.property(anything, (input) => {
        try {
          decode(input);
        } catch (error) {
          assert.ok(isDamage(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  }
});

function isDamage(error: unknown): boolean {
  return error instanceof FerryError && error.code === 'object-damaged';
}
