import { asBytePath, type BytePath } from '../../src/base/byte-path.ts';
import { ByteWriter, concatBytes, u32le } from '../../src/base/bytes.ts';
import { encodeEntry, type Entry } from '../../src/format/entry.ts';
import { encodeChild, encodePage } from '../../src/format/page.ts';
import type { BadVector } from './bad-headers.ts';
import { overwrite } from './parts.ts';
import { ENTRIES, LEAVES } from './sample.ts';

/** Offsets in an entry with an empty path and empty names. */
const TYPE_AT = 2;
const FLAGS_AT = 3;
const MODE_AT = 4;
const SIZE_AT = 24;
const LOG2_AT = 32;
const DEPTH_AT = 33;
const COUNT_AT = 34;

/** Plaintexts of pages: what somebody with valid keys could seal. */
export function badPages(): BadVector[] {
  const bad = (wrong: string, bytes: Uint8Array): BadVector => ({
    kind: 'page',
    wrong,
    code: 'object-damaged',
    bytes,
  });
  const good = LEAVES[0].content;
  const [root, agents, transcript] = ENTRIES;
  if (!root || !agents || !transcript) throw new Error('the sample has entries');
  return [
    bad('nothing', new Uint8Array(0)),
    bad('cut by one byte', good.slice(0, -1)),
    bad('one byte more', concatBytes(good, new Uint8Array(1))),
    bad('more entries than follow', overwrite(good, 1, u32le(7))),
    bad('fewer entries than follow', overwrite(good, 1, u32le(5))),
    bad('a million entries', overwrite(good, 1, u32le(1_000_000))),
    bad('level 9', overwrite(good, 0, Uint8Array.of(9))),
    bad('entries not in order', page([root, transcript, agents])),
    bad('one path twice', page([root, agents, agents])),
    bad('children not in order', interior(['b', 'a'])),
    bad('one child twice', interior(['a', 'a'])),
    bad('a path of 4 097 bytes', page([{ ...root, path: asBytePath('a'.repeat(4097)) }])),
    bad('larger than a page may be', encodePage(1, 0, Buffer.alloc(256 * 1024))),
    ...badEntries(bad),
  ];
}

function badEntries(bad: (wrong: string, bytes: Uint8Array) => BadVector): BadVector[] {
  const [root] = ENTRIES;
  if (!root) throw new Error('the sample has a root');
  const bare = { ...root, owner: '', group: '' };
  const directory = encoded({ ...bare, type: 'dir' });
  const file = encoded({
    ...bare,
    type: 'file',
    size: 1,
    sparse: false,
    secret: false,
    database: false,
    chunkBytes: 256 * 1024,
    depth: 0,
    ids: new Uint8Array(32),
  });
  const link = encoded({ ...bare, type: 'symlink', target: asBytePath('a'.repeat(4097)) });
  const changed = (entry: Uint8Array, at: number, bytes: Uint8Array): Uint8Array =>
    encodePage(0, 1, overwrite(entry, at, bytes));
  const size = (value: bigint): Uint8Array => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  return [
    bad('an unknown type', changed(directory, TYPE_AT, Uint8Array.of(5))),
    bad('a directory with flags', changed(directory, FLAGS_AT, Uint8Array.of(1))),
    bad('a file with unknown flags', changed(file, FLAGS_AT, Uint8Array.of(8))),
    bad('a mode of 13 bits', changed(file, MODE_AT, Uint8Array.of(0, 0x10))),
    bad('a size of 2^60', changed(file, SIZE_AT, size(2n ** 60n))),
    bad('a size of 2^63', changed(file, SIZE_AT, size(2n ** 63n))),
    bad('a size of 2^48 and one id', changed(file, SIZE_AT, size(2n ** 48n))),
    bad('a size of 0 and one id', changed(file, SIZE_AT, size(0n))),
    bad('chunks of 2 KiB', changed(file, LOG2_AT, Uint8Array.of(11))),
    bad('chunks of 2 MiB', changed(file, LOG2_AT, Uint8Array.of(21))),
    bad('lists where none are needed', changed(file, DEPTH_AT, Uint8Array.of(1))),
    bad('a depth of 255', changed(file, DEPTH_AT, Uint8Array.of(255))),
    bad('no id', changed(file, COUNT_AT, u32le(0))),
    bad('four billion ids', changed(file, COUNT_AT, u32le(0xffff_ffff))),
    bad('a target of 4 097 bytes', encodePage(0, 1, link)),
  ];
}

function encoded(entry: Entry): Uint8Array {
  const writer = new ByteWriter();
  encodeEntry(writer, entry);
  return writer.take();
}

const page = (entries: readonly Entry[]): Uint8Array =>
  encodePage(0, entries.length, concatBytes(...entries.map(encoded)));

function interior(paths: readonly string[]): Uint8Array {
  const writer = new ByteWriter();
  for (const path of paths) {
    const firstPath: BytePath = asBytePath(path);
    encodeChild(writer, { firstPath, id: Buffer.alloc(32, 7) });
  }
  return encodePage(1, paths.length, writer.view());
}
