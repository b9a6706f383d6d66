/**
 * pax extended headers: `LENGTH KEY=VALUE\n` records that say what a tar header has no room for. Values are bytes
 * here (one character per byte, as in a BytePath), since file names are.
 */
import { FerryError } from '../base/errors.ts';

export type PaxRecords = ReadonlyMap<string, string>;

export const TAR_BLOCK_BYTES = 512;

/** The records filled up to whole blocks with a comment, which readers skip. */
export function encodePaxBlocks(records: PaxRecords): Buffer {
  const body = [...records].map(([key, value]) => encodeRecord(key, value)).join('');
  const over = body.length % TAR_BLOCK_BYTES;
  if (over === 0) return Buffer.from(body, 'latin1');
  let fill = TAR_BLOCK_BYTES - over;
  if (fill < FILLER_BYTES_MIN) fill += TAR_BLOCK_BYTES;
  // First, so that a comment of ours comes later and counts.
  return Buffer.from(filler(fill) + body, 'latin1');
}

/** @throws object-damaged */
export function decodePax(bytes: Uint8Array, what: string): Map<string, string> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const records = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    // Some writers fill up the block with zeros and count them.
    if (text[at] === '\0') break;
    const digits = /^(\d{1,10}) /.exec(text.slice(at, at + 11))?.[1];
    const end = at + Number(digits);
    const equals = text.indexOf('=', at);
    const isRecord = digits !== undefined && equals > at && equals < end && text[end - 1] === '\n';
    if (!isRecord || end > text.length) {
      throw new FerryError('object-damaged', `${what} is damaged: an extended header is no record`);
    }
    records.set(text.slice(at + digits.length + 1, equals), text.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** Seconds since the epoch with up to nine decimals, as pax writes times. */
export function encodePaxTime(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const digits = (ns < 0n ? -ns : ns).toString().padStart(10, '0');
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** Nanoseconds since the epoch, or undefined when it is no time that a file can have. */
export function decodePaxTime(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,10})(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '0', fraction = ''] = match;
  const ns = BigInt(whole) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  if (ns > TIME_NS_MAX) return undefined;
  return sign === '-' ? -ns : ns;
}

/** A time is 64 bits in a snapshot. */
const TIME_NS_MAX = 2n ** 63n - 1n;

/** The length counts itself. */
function encodeRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return `${length}${rest}`;
}

const FILLER_BYTES_MIN = '12 comment=\n'.length;

function filler(bytes: number): string {
  const frame = `${bytes} comment=\n`;
  return `${bytes} comment=${' '.repeat(bytes - frame.length)}\n`;
}
