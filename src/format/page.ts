/**
 * Tree pages. A leaf holds entries, an interior page holds its children with their first paths; both sorted by
 * path, where `/` sorts before every other byte (so that a directory's contents directly follow it).
 */
import { asBytePath, type BytePath } from '../base/byte-path.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { decodeEntry, ENTRY_LIMITS, type Entry } from './entry.ts';

export const PAGE_LIMITS = {
  pageBytesMax: 256 * 1024,
  levelMax: 8,
  /** An entry has at least 37 bytes, so no honest page holds more. */
  entriesMax: 8192,
} as const;

export type PageChild = { readonly firstPath: BytePath; readonly id: Uint8Array };
export type Page =
  | { readonly level: 0; readonly entries: readonly Entry[] }
  | { readonly level: number; readonly children: readonly PageChild[] };

/** u8 level ‖ u32 count ‖ what follows. */
export function encodePage(level: number, count: number, body: Uint8Array): Uint8Array {
  return new ByteWriter(5 + body.length).u8(level).u32(count).bytes(body).take();
}

export function encodeChild(writer: ByteWriter, child: PageChild): void {
  writer.u16(child.firstPath.length).latin1(child.firstPath).bytes(child.id);
}

export function decodePage(
  bytes: Uint8Array,
  expectedLevel: number | undefined,
  what: string,
): Page {
  const reader = new ByteReader(bytes, what);
  const level = reader.u8();
  const count = reader.u32();
  if (bytes.length > PAGE_LIMITS.pageBytesMax || count > PAGE_LIMITS.entriesMax) {
    throw reader.damaged('a page is larger than one may be');
  }
  if (level > PAGE_LIMITS.levelMax || (expectedLevel ?? level) !== level) {
    throw reader.damaged('a page is at the wrong level');
  }
  let previous: BytePath | undefined;
  const inOrder = (path: BytePath): void => {
    if (previous !== undefined && comparePaths(previous, path) >= 0) {
      throw reader.damaged('its entries are not in order');
    }
    previous = path;
  };
  if (level === 0) {
    const entries: Entry[] = [];
    for (let index = 0; index < count; index++) {
      const entry = decodeEntry(reader);
      inOrder(entry.path);
      entries.push(entry);
    }
    reader.end();
    return { level: 0, entries };
  }
  const children: PageChild[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.u16();
    if (length > ENTRY_LIMITS.pathBytesMax) throw reader.damaged('a name is too long');
    const firstPath = asBytePath(reader.latin1(length));
    inOrder(firstPath);
    children.push({ firstPath, id: reader.bytes(CHUNK_ID_BYTES) });
  }
  reader.end();
  return { level, children };
}

/** Byte order with `/` below everything. */
export function comparePaths(a: BytePath, b: BytePath): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return x === SLASH ? -1 : y === SLASH ? 1 : x - y;
  }
  return a.length - b.length;
}

const SLASH = 0x2f;
