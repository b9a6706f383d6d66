import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asBytePath, type BytePath } from '../../../src/base/byte-path.ts';
import { ByteWriter, toHex } from '../../../src/base/bytes.ts';
import { chunkId, chunkIdKey } from '../../../src/crypto/chunk-id.ts';
import { depthFor, encodeEntryRest, LIST_IDS, topIdCount } from '../../../src/format/entry.ts';
import { comparePaths, decodePage } from '../../../src/format/page.ts';
import type { ChunkSink } from '../../../src/push/chunk-sink.ts';
import { entryIds, TreeBuilder } from '../../../src/push/tree-builder.ts';
import { noise } from '../../support/tree.ts';
import '../../support/engine.ts';

const key = chunkIdKey(noise(1, 32));

function memorySink(): ChunkSink & { readonly chunks: Map<string, Uint8Array> } {
  const chunks = new Map<string, Uint8Array>();
  return {
    chunks,
    put(kind, bytes) {
      const id = chunkId(key, kind, bytes);
      chunks.set(toHex(id), bytes);
      return id;
    },
    reuse: () => false,
    takeBlobs: () => [],
    blobBytes: 0,
  };
}

const restOf = (mode: number): Uint8Array => {
  const writer = new ByteWriter();
  const entry = { path: asBytePath(''), uid: 0, gid: 0, owner: '', group: '', mtimeNs: 1n };
  encodeEntryRest(writer, { ...entry, mode, type: 'dir' });
  return writer.take();
};

function build(paths: readonly BytePath[], modeOf = (_path: BytePath): number => 0o755) {
  const sink = memorySink();
  const builder = new TreeBuilder(sink, noise(2, 32));
  for (const path of paths) builder.add(path, restOf(modeOf(path)));
  return { top: builder.finish(), ...sink };
}

function read(chunks: ReadonlyMap<string, Uint8Array>, id: Uint8Array, level?: number): BytePath[] {
  const bytes = chunks.get(toHex(id));
  assert.ok(bytes);
  const page = decodePage(bytes, level, 'a page');
  if ('entries' in page) return page.entries.map(({ path }) => path);
  return page.children.flatMap(({ firstPath, id: child }) => {
    const paths = read(chunks, child, page.level - 1);
    assert.equal(paths[0], firstPath);
    return paths;
  });
}

test('every path comes back, in order, and the same entries make the same pages', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-f/]{1,12}$/), { maxLength: 400 });
  fc.assert(
    fc.property(names, (found) => {
      const paths = ['', ...found.filter((name) => name !== '')]
        .map(asBytePath)
        .toSorted(comparePaths);
      const first = build(paths);
      assert.deepEqual(read(first.chunks, first.top), paths);
      assert.deepEqual(build(paths).top, first.top);
    }),
    { numRuns: 40 },
  );
});

test('a change in one entry changes its page and those above it, and no other', () => {
  const paths = Array.from({ length: 20_000 }, (_, at) =>
    asBytePath(`f${String(at).padStart(6, '0')}`),
  );
  const before = build(paths);
  const changed = build(paths, (path) => (path === 'f010000' ? 0o700 : 0o755));
  const fresh = [...changed.chunks.keys()].filter((id) => !before.chunks.has(id));
  assert.ok(before.chunks.size > 50, 'there are many pages');
  assert.ok(fresh.length >= 2 && fresh.length <= 4, `${fresh.length} pages changed`);
  // Neither does one more file cost more than its neighbourhood.
  const more = build([...paths, asBytePath('f010000x')].toSorted(comparePaths));
  assert.ok([...more.chunks.keys()].filter((id) => !before.chunks.has(id)).length <= 6);
});

test('long lists of chunks become lists of lists', () => {
  for (const chunks of [1, 64, 65, LIST_IDS, LIST_IDS * 64 + 1]) {
    const sink = memorySink();
    const size = chunks * 16_384;
    const { depth, ids } = entryIds(sink, Buffer.alloc(chunks * 32, 1), size, 16_384);
    assert.equal(depth, depthFor(size, 16_384));
    assert.equal(ids.length / 32, topIdCount(size, 16_384, depth));
  }
});
