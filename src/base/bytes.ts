/** Strict reading and writing of bytes: little-endian integers, exact lengths, no trailing bytes. */
import { FerryError } from './errors.ts';

export const toHex = (bytes: Uint8Array): string => view(bytes).toString('hex');
export const fromHex = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
export const toBase64 = (bytes: Uint8Array): string => view(bytes).toString('base64');
export const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');
export const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
export const fromUtf8 = (bytes: Uint8Array): string => view(bytes).toString('utf8');

/** A Buffer over the same memory. */
export const view = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function concatBytes(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/**
 * Gives the memory of a large temporary back at once. It would be collected some day, but hundreds of MiB can
 * gather until then, since the collector sees only the small object in front of it. Nobody may use it after.
 */
export function release(bytes: Buffer): void {
  const { buffer } = bytes;
  // A pooled buffer shares its memory with others.
  const isAlone = bytes.byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
  if (isAlone && bytes.byteLength >= RELEASED_BYTES_MIN) buffer.transfer(0);
}

const RELEASED_BYTES_MIN = 16 * 1024;

export function u32le(value: number): Uint8Array {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

/** Reads a byte string from front to back; anything unexpected is `object-damaged` with the name of the thing. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = view(bytes);
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  get position(): number {
    return this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  /** An unsigned 64-bit number that must be a safe integer. */
  u64(): number {
    const value = this.#bytes.readBigUInt64LE(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.damaged('a number is out of range');
    return Number(value);
  }

  i64(): bigint {
    return this.#bytes.readBigInt64LE(this.#advance(8));
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const from = this.#advance(length);
    return this.#bytes.subarray(from, from + length);
  }

  latin1(length: number): string {
    const from = this.#advance(length);
    return this.#bytes.toString('latin1', from, from + length);
  }

  /** Fails unless everything was read. */
  end(): void {
    if (this.remaining !== 0) throw this.damaged(`${this.remaining} bytes too many`);
  }

  /** Fails unless all that remains is zero. */
  zeros(): void {
    const rest = this.bytes(this.remaining);
    // Each byte against the one before it: a look at every one by itself would be a call for each.
    const isZero =
      rest.length === 0 || (rest[0] === 0 && rest.subarray(1).equals(rest.subarray(0, -1)));
    if (!isZero) throw this.damaged('padding is not zero');
  }

  damaged(why: string): FerryError {
    return new FerryError('object-damaged', `${this.#what} is damaged: ${why}`);
  }

  #advance(length: number): number {
    if (length > this.remaining) throw this.damaged('it ends too early');
    const from = this.#at;
    this.#at += length;
    return from;
  }
}

/** Builds a byte string that grows as needed. */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(initialBytes = 256) {
    this.#bytes = Buffer.allocUnsafe(initialBytes);
  }

  get length(): number {
    return this.#at;
  }

  u8(value: number): this {
    const at = this.#reserve(1);
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u16(value: number): this {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16LE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32LE(value, at);
    return this;
  }

  u64(value: number): this {
    const at = this.#reserve(8);
    this.#bytes.writeUInt32LE(value % 0x100000000, at);
    this.#bytes.writeUInt32LE(Math.floor(value / 0x100000000), at + 4);
    return this;
  }

  i64(value: bigint): this {
    const at = this.#reserve(8);
    this.#bytes.writeBigInt64LE(value, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  latin1(text: string): this {
    const at = this.#reserve(text.length);
    this.#bytes.write(text, at, 'latin1');
    return this;
  }

  /** A view of what was written; valid until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** A copy of what was written. */
  take(): Buffer {
    return Buffer.from(this.view());
  }

  reset(): void {
    this.#at = 0;
  }

  /** For a writer of much that is written to no more; what it showed must not be used any more either. */
  release(): void {
    const bytes = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    this.#at = 0;
    release(bytes);
  }

  /** Call it before touching the buffer: it may replace it. */
  #reserve(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + length));
      this.#bytes.copy(grown, 0, 0, at);
      release(this.#bytes);
      this.#bytes = grown;
    }
    this.#at = at + length;
    return at;
  }
}
