/** One entry of a tree page: a directory, file, symbolic link or hard link below a root. */
import { asBytePath, type BytePath } from '../base/byte-path.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { FerryError } from '../base/errors.ts';

export type EntryBase = {
  /** Relative to the root, `/`-separated; '' is the root directory itself. */
  readonly path: BytePath;
  /** Permission bits with setuid, setgid and sticky: 12 bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of owner and group on the old machine; '' where it knew none. */
  readonly owner: string;
  readonly group: string;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
};

export type FileEntry = EntryBase & {
  readonly type: 'file';
  readonly size: number;
  readonly sparse: boolean;
  /** Class S: its chunks are never compressed. */
  readonly secret: boolean;
  /** Captured through SQLite's backup, so it is a consistent database. */
  readonly database: boolean;
  readonly chunkBytes: number;
  /** 0: `ids` are the file's chunks; n: they are list chunks, n levels above. */
  readonly depth: number;
  /** Concatenated 32-byte ids. */
  readonly ids: Uint8Array;
};
export type Entry =
  | FileEntry
  | (EntryBase & { readonly type: 'dir' })
  | (EntryBase & { readonly type: 'symlink'; readonly target: BytePath })
  /** The same file as the entry `target` of this root, which comes earlier. */
  | (EntryBase & { readonly type: 'hardlink'; readonly target: BytePath });

export const ENTRY_LIMITS = {
  pathBytesMax: 4096,
  nameBytesMax: 255,
  ownerBytesMax: 255,
  linkBytesMax: 4096,
  /** 2^53 − 1 would be possible; 2^48 is the largest file of any file system in use. */
  fileBytesMax: 2 ** 48,
  depthMax: 4,
  idsInlineMax: 64,
} as const;

/** The sizes files are cut at, as log2: 16 KiB for databases, 256 KiB for everything else. */
export const CHUNK_BYTES = { database: 16 * 1024, other: 256 * 1024 } as const;
const CHUNK_LOG2_MIN = 12;
const CHUNK_LOG2_MAX = 20;
/** Ids in one list chunk. */
export const LIST_IDS = 1024;

/** The first byte of an entry after its path. */
export const ENTRY_TYPES = { dir: 1, file: 2, symlink: 3, hardlink: 4 } as const;
const FLAGS = { sparse: 1, secret: 2, database: 4 } as const;

/** How many ids an entry of this size has at its top level. */
export function topIdCount(size: number, chunkBytes: number, depth: number): number {
  let count = Math.ceil(size / chunkBytes);
  for (let level = 0; level < depth; level++) count = Math.ceil(count / LIST_IDS);
  return count;
}

/** The levels of list chunks above the chunks of a file of this size. */
export function depthFor(size: number, chunkBytes: number): number {
  let depth = 0;
  while (topIdCount(size, chunkBytes, depth) > ENTRY_LIMITS.idsInlineMax) depth++;
  return depth;
}

export function encodeEntry(writer: ByteWriter, entry: Entry): void {
  writer.u16(entry.path.length).latin1(entry.path);
  encodeEntryRest(writer, entry);
}

/** Everything but the path: what a cache may keep for an unchanged file. */
export function encodeEntryRest(writer: ByteWriter, entry: Entry): void {
  writer.u8(ENTRY_TYPES[entry.type]).u8(entry.type === 'file' ? flagsOf(entry) : 0);
  writer.u16(entry.mode).u32(entry.uid).u32(entry.gid);
  encodeName(writer, entry.owner);
  encodeName(writer, entry.group);
  writer.i64(entry.mtimeNs);
  if (entry.type === 'file') {
    writer.u64(entry.size).u8(Math.log2(entry.chunkBytes)).u8(entry.depth);
    writer.u32(entry.ids.length / CHUNK_ID_BYTES).bytes(entry.ids);
  } else if (entry.type !== 'dir') {
    writer.u16(entry.target.length).latin1(entry.target);
  }
}

/**
 * Reads one entry strictly: the number of ids must follow from size, cut and depth, so that a hostile size
 * allocates nothing.
 */
export function decodeEntry(reader: ByteReader): Entry {
  const path = asBytePath(reader.latin1(boundedLength(reader, ENTRY_LIMITS.pathBytesMax)));
  const type = reader.u8();
  const flags = reader.u8();
  const base: EntryBase = {
    path,
    mode: reader.u16(),
    uid: reader.u32(),
    gid: reader.u32(),
    owner: reader.latin1(reader.u8()),
    group: reader.latin1(reader.u8()),
    mtimeNs: reader.i64(),
  };
  if (base.mode > 0o7777) throw reader.damaged('an entry has an impossible mode');
  if (type === ENTRY_TYPES.file) return { ...base, ...decodeFile(reader, flags) };
  if (flags !== 0) throw reader.damaged('an entry has unknown flags');
  if (type === ENTRY_TYPES.dir) return { ...base, type: 'dir' };
  const target = asBytePath(reader.latin1(boundedLength(reader, ENTRY_LIMITS.linkBytesMax)));
  if (type === ENTRY_TYPES.symlink) return { ...base, type: 'symlink', target };
  if (type === ENTRY_TYPES.hardlink) return { ...base, type: 'hardlink', target };
  throw reader.damaged('an entry has an unknown type');
}

function decodeFile(reader: ByteReader, flags: number): Omit<FileEntry, keyof EntryBase> {
  if (flags > 7) throw reader.damaged('an entry has unknown flags');
  const size = reader.u64();
  const log2 = reader.u8();
  const depth = reader.u8();
  const count = reader.u32();
  if (size > ENTRY_LIMITS.fileBytesMax) throw reader.damaged('a file has an impossible size');
  if (log2 < CHUNK_LOG2_MIN || log2 > CHUNK_LOG2_MAX || depth > ENTRY_LIMITS.depthMax) {
    throw reader.damaged('a file is cut in an impossible way');
  }
  const chunkBytes = 2 ** log2;
  if (depth !== depthFor(size, chunkBytes) || count !== topIdCount(size, chunkBytes, depth)) {
    throw reader.damaged('a file has another number of chunks than its size says');
  }
  return {
    type: 'file',
    size,
    sparse: (flags & FLAGS.sparse) !== 0,
    secret: (flags & FLAGS.secret) !== 0,
    database: (flags & FLAGS.database) !== 0,
    chunkBytes,
    depth,
    ids: reader.bytes(count * CHUNK_ID_BYTES),
  };
}

const flagsOf = (entry: FileEntry): number =>
  (entry.sparse ? FLAGS.sparse : 0) |
  (entry.secret ? FLAGS.secret : 0) |
  (entry.database ? FLAGS.database : 0);

function encodeName(writer: ByteWriter, name: string): void {
  if (name.length > ENTRY_LIMITS.ownerBytesMax) throw new FerryError('bug', 'owner name too long');
  writer.u8(name.length).latin1(name);
}

function boundedLength(reader: ByteReader, max: number): number {
  const length = reader.u16();
  if (length > max) throw reader.damaged('a name is too long');
  return length;
}
