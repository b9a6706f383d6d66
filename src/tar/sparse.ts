/**
 * Files with holes, in the one form that today's tars write into pax archives (GNU.sparse 1.0, the default of bsdtar
 * on macOS): the content begins with a list of pieces, and only those follow.
 */
import { FerryError } from '../base/errors.ts';
import { TAR_BLOCK_BYTES, type PaxRecords } from './pax.ts';

export type Piece = { readonly position: number; readonly bytes: Uint8Array };

export type Sparse = { readonly size: number; readonly path: string | undefined };

/** Undefined: no sparse file. @throws object-damaged for the forms that are not read */
export function sparseOf(pax: PaxRecords, typeFlag: string, what: string): Sparse | undefined {
  const major = pax.get('GNU.sparse.major');
  const isOther = typeFlag === 'S' || (major === undefined && pax.has('GNU.sparse.map'));
  if (isOther || (major !== undefined && major !== '1')) {
    throw new FerryError('object-damaged', `${what} holds files with holes in an old form`, {
      hint: 'Make the archive again without --sparse (-S).',
    });
  }
  if (major === undefined) return undefined;
  const size = Number(pax.get('GNU.sparse.realsize'));
  if (!Number.isSafeInteger(size) || size < 0) throw damaged(what);
  return { size, path: pax.get('GNU.sparse.name') };
}

/** The pieces of a sparse file, each with its place. */
export async function* sparsePieces(
  content: AsyncIterable<Uint8Array>,
  size: number,
  what: string,
): AsyncGenerator<Piece, void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  let segments: readonly Segment[] = [];
  let index = 0;
  let done = 0;
  for await (const piece of content) {
    let bytes = piece;
    if (head !== undefined) {
      head = Buffer.concat([head, bytes]);
      const map = readMap(head, size, what);
      if (map === undefined) continue;
      segments = map.segments;
      bytes = head.subarray(map.bytes);
      head = undefined;
    }
    while (bytes.length > 0) {
      const segment = segments[index];
      if (segment === undefined) throw damaged(what);
      const part = bytes.subarray(0, segment.bytes - done);
      if (part.length > 0) yield { position: segment.position + done, bytes: part };
      done += part.length;
      bytes = bytes.subarray(part.length);
      if (done < segment.bytes) continue;
      index += 1;
      done = 0;
    }
  }
  // Empty segments mark the end of a file that ends in a hole.
  if (head !== undefined || segments.slice(index).some(({ bytes }) => bytes > done)) {
    throw damaged(what);
  }
}

type Segment = { readonly position: number; readonly bytes: number };

const MAP_BYTES_MAX = 4 * 1024 * 1024;
/** A number, and the byte that ends it. */
const DIGITS = /^(\d{1,16})\n/;

/** The list: how many, then position and length of each, one number a line, filled up to a block. */
function readMap(
  head: Buffer,
  size: number,
  what: string,
): { segments: Segment[]; bytes: number } | undefined {
  const numbers: number[] = [];
  let at = 0;
  for (let wanted = 1; numbers.length < wanted;) {
    const match = DIGITS.exec(head.toString('latin1', at, at + 17));
    if (match === null) {
      if (head.length - at >= 17 || head.length > MAP_BYTES_MAX) throw damaged(what);
      return undefined;
    }
    numbers.push(Number(match[1]));
    at += match[0].length;
    wanted = 1 + 2 * (numbers[0] ?? 0);
    if (wanted > MAP_BYTES_MAX / 4) throw damaged(what);
  }
  const bytes = Math.ceil(at / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  if (head.length < bytes) return undefined;
  const segments: Segment[] = [];
  for (let index = 1; index < numbers.length; index += 2) {
    const segment = { position: numbers[index] ?? 0, bytes: numbers[index + 1] ?? 0 };
    if (segment.position + segment.bytes > size) throw damaged(what);
    segments.push(segment);
  }
  return { segments, bytes };
}

const damaged = (what: string): FerryError =>
  new FerryError('object-damaged', `${what} is damaged: the map of a file with holes is wrong`);
