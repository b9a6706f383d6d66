/**
 * Builds the tree of pages of one root from entries in path order. Pages are cut by a keyed hash of the path, so
 * that a change moves only the cuts next to it and every other page stays the chunk it was.
 */
import { asBytePath, type BytePath } from '../base/byte-path.ts';
import { ByteWriter, view } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { CHUNK_KINDS } from '../crypto/chunk-id.ts';
import { pathHash, type PathHash } from '../crypto/path-hash.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { depthFor, LIST_IDS } from '../format/entry.ts';
import { comparePaths, encodeChild, encodePage, PAGE_LIMITS } from '../format/page.ts';
import type { ChunkSink } from './chunk-sink.ts';

/** A page ends after an entry whose hash is 0 in this many bits: 128 entries on average. */
const CUT_MASK = 127;
/** And before it would grow beyond this, whatever the hash says. */
const PAGE_TARGET_BYTES_MAX = 128 * 1024;

type Level = { readonly body: ByteWriter; count: number; firstPath: BytePath; pages: number };

export class TreeBuilder {
  readonly #sink: ChunkSink;
  readonly #hash: PathHash;
  readonly #levels: Level[] = [];
  #lastPath: BytePath | undefined;

  constructor(sink: ChunkSink, pageCutKey: Uint8Array) {
    this.#sink = sink;
    this.#hash = pathHash(pageCutKey);
  }

  /** @param rest the entry without its path, as `encodeEntryRest` writes it */
  add(path: BytePath, rest: Uint8Array): void {
    const inOrder = this.#lastPath === undefined || comparePaths(this.#lastPath, path) < 0;
    assert(inOrder, 'entries come in path order');
    this.#lastPath = path;
    const level = this.#roomFor(0, path, 2 + path.length + rest.length);
    level.body.u16(path.length).latin1(path).bytes(rest);
    this.#added(0, level, path);
  }

  get isEmpty(): boolean {
    return this.#lastPath === undefined;
  }

  /** The id of the top page. */
  finish(): Buffer {
    assert(this.#lastPath !== undefined, 'a tree has at least its root entry');
    for (let at = 0; ; at++) {
      const level = this.#levels[at];
      assert(level, 'there is a top page');
      if (at === this.#levels.length - 1 && level.pages === 0) return this.#store(at, level);
      if (level.count > 0) this.#close(at, level);
    }
  }

  #roomFor(at: number, path: BytePath, bytes: number): Level {
    const level = (this.#levels[at] ??= emptyLevel());
    if (level.count > 0 && level.body.length + bytes > PAGE_TARGET_BYTES_MAX)
      this.#close(at, level);
    if (level.count === 0) level.firstPath = path;
    return level;
  }

  #added(at: number, level: Level, path: BytePath): void {
    level.count += 1;
    const isCut = ((this.#hash(path) >>> at) & CUT_MASK) === 0;
    if (isCut || level.count >= PAGE_LIMITS.entriesMax) this.#close(at, level);
  }

  /** Stores a page and tells the level above; paths of one level above share no bits with this one's cut. */
  #close(at: number, level: Level): void {
    const firstPath = level.firstPath;
    const id = this.#store(at, level);
    level.body.reset();
    level.count = 0;
    level.pages += 1;
    const bytes = 2 + firstPath.length + CHUNK_ID_BYTES;
    const above = this.#roomFor(at + 1, firstPath, bytes);
    encodeChild(above.body, { firstPath, id });
    this.#added(at + 1, above, asBytePath(`${firstPath}/${at + 1}`));
  }

  #store(at: number, level: Level): Buffer {
    assert(at <= PAGE_LIMITS.levelMax, 'the tree is not too high');
    return this.#sink.put(CHUNK_KINDS.page, encodePage(at, level.count, level.body.view()));
  }
}

const emptyLevel = (): Level => ({
  body: new ByteWriter(8 * 1024),
  count: 0,
  firstPath: asBytePath(''),
  pages: 0,
});

/**
 * The ids that go into an entry: the file's own where they are few, else list chunks above them.
 * @param ids the ids of all chunks of the file, 32 bytes each
 */
export function entryIds(
  sink: ChunkSink,
  ids: Uint8Array,
  size: number,
  chunkBytes: number,
): { depth: number; ids: Uint8Array } {
  const depth = depthFor(size, chunkBytes);
  let level = view(ids);
  for (let at = 0; at < depth; at++) {
    const above: Buffer[] = [];
    const step = LIST_IDS * CHUNK_ID_BYTES;
    for (let from = 0; from < level.length; from += step) {
      above.push(sink.put(CHUNK_KINDS.list, Buffer.from(level.subarray(from, from + step))));
    }
    level = Buffer.concat(above);
  }
  return { depth, ids: level };
}
