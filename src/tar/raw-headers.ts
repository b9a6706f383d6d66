/**
 * The raw bytes between the members of an archive. tar-stream reads pax headers as text, and what is not UTF-8 would
 * be lost; here the same headers are read again as bytes. What may lie there is limited: a bomb of headers or of
 * zeros ends here.
 */
import { view } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { decodePax, TAR_BLOCK_BYTES, type PaxRecords } from './pax.ts';

export type RawHeaders = {
  /** Every piece of the archive, before tar-stream gets it. */
  readonly keep: (piece: Uint8Array) => void;
  /** What applies to the member whose content begins at `offset`; what lies before is forgotten. */
  readonly member: (offset: number, contentBytes: number) => RawMember;
  /** After the last member. */
  readonly finish: () => void;
};

export type RawMember = {
  readonly pax: PaxRecords;
  /** `0`, `5`, … */
  readonly typeFlag: string;
};

/** Headers, padding and the zeros at the end: GNU tar fills up to 10 KiB, a drive to a megabyte. */
const BETWEEN_BYTES_MAX = 8 * 1024 * 1024;
/** What the parser may not have looked at yet when the limit is checked. */
const AHEAD_BYTES_MAX = 1024 * 1024;

export function rawHeaders(what: string): RawHeaders {
  let pieces: { readonly at: number; readonly bytes: Buffer }[] = [];
  let end = 0;
  let from = 0;
  let global = new Map<string, string>();

  const slice = (to: number): Buffer => {
    const parts = pieces.map(({ at, bytes }) =>
      bytes.subarray(Math.max(0, from - at), Math.max(0, Math.min(bytes.length, to - at))),
    );
    return Buffer.concat(parts);
  };
  return {
    keep: (piece) => {
      if (end + piece.length > from) pieces.push({ at: end, bytes: view(piece) });
      end += piece.length;
      if (end - from <= BETWEEN_BYTES_MAX + AHEAD_BYTES_MAX) return;
      throw new FerryError('object-damaged', `${what} holds too much between its files`);
    },
    member: (offset, contentBytes) => {
      const blocks = slice(offset);
      const header = blocks.subarray(-TAR_BLOCK_BYTES);
      const extended = readExtended(blocks.subarray(0, -TAR_BLOCK_BYTES), global, what);
      global = extended.global;
      from = offset + Math.ceil(contentBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
      pieces = pieces.filter(({ at, bytes }) => at + bytes.length > from);
      return {
        pax: new Map([...global, ...extended.own]),
        typeFlag: String.fromCharCode(header[TYPE_AT] ?? 0),
      };
    },
    finish: () => {
      // A whole archive ends with zeros; without them it was cut between two members.
      const rest = slice(end);
      if (rest.length >= TAR_BLOCK_BYTES && rest.subarray(0, TAR_BLOCK_BYTES).every(isZero)) return;
      throw new FerryError('object-damaged', `${what} is cut off: its end is missing`, {
        hint: 'Copy it again from the old machine and compare the sizes.',
      });
    },
  };
}

const isZero = (byte: number): boolean => byte === 0;

const TYPE_AT = 156;
const SIZE_AT = 124;
const SIZE_BYTES = 12;

function readExtended(
  blocks: Buffer,
  before: Map<string, string>,
  what: string,
): { global: Map<string, string>; own: Map<string, string> } {
  let global = before;
  let own = new Map<string, string>();
  for (let at = 0; at < blocks.length;) {
    const header = blocks.subarray(at, at + TAR_BLOCK_BYTES);
    at += TAR_BLOCK_BYTES;
    if (header.every(isZero)) continue;
    const size = sizeOf(header);
    const body = blocks.subarray(at, at + size);
    at += Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
    const type = String.fromCharCode(header[TYPE_AT] ?? 0);
    if (type === 'x') own = decodePax(body, what);
    if (type === 'g') global = new Map([...global, ...decodePax(body, what)]);
  }
  return { global, own };
}

/** Always small, so always octal; tar-stream has judged it already. */
function sizeOf(header: Buffer): number {
  const digits = header.toString('latin1', SIZE_AT, SIZE_AT + SIZE_BYTES);
  return parseInt(digits.replaceAll('\0', ' ').trim(), 8) || 0;
}
