/**
 * Sets of packs of which many are nearly the same, as the pack lists of a machine's snapshots are: one table of names,
 * and one bit a pack for every set. Ten thousand sets of five thousand packs are 6 MiB.
 */
import { ByteReader, ByteWriter, concatBytes } from '../base/bytes.ts';
import { blake2b256 } from '../crypto/sodium.ts';
import {
  ID_BYTES,
  idBytes,
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterFolder,
  type WriterId,
} from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import { damaged } from './objects.ts';

const ENCODED_BYTES_MAX = 64 * 1024 * 1024;
const DIGEST_BYTES = 32;

type PackSet = { readonly storedBytes: number; readonly bits: Uint8Array };

/** Named by the objects that they were read from, which all lie in one folder. */
export class PackSets {
  readonly #names: string[] = [];
  /** By writer and id: a joined name for each of millions of members would cost more than all the rest. */
  readonly #numbers = new Map<WriterId, Map<ObjectId, number>>();
  readonly #sets = new Map<string, PackSet>();

  has(object: string): boolean {
    return this.#sets.has(object);
  }

  /** @param storedBytes of the object that names these packs */
  add(object: string, storedBytes: number, packs: readonly ListedPack[]): void {
    const numbers = packs.map((one) => this.#numberOf(one.writer, one.pack));
    this.#sets.set(object, { storedBytes, bits: bitsOf(numbers, this.#names.length) });
  }

  /** Forgets the sets of objects that are gone or another size. */
  keep(isThere: (object: string, storedBytes: number) => boolean): void {
    for (const [object, { storedBytes }] of this.#sets) {
      if (!isThere(object, storedBytes)) this.#sets.delete(object);
    }
  }

  /** Every pack that any set has. */
  union(): Set<string> {
    const united = new Uint8Array(Math.ceil(this.#names.length / 8));
    for (const { bits } of this.#sets.values()) {
      for (let at = 0; at < bits.length; at++) united[at] = (united[at] ?? 0) | (bits[at] ?? 0);
    }
    return new Set(this.#names.filter((_, number) => hasBit(united, number)));
  }

  /** Whether any pack of this set is one of `names`. */
  meets(object: string, names: { has(name: string): boolean }): boolean {
    const bits = this.#sets.get(object)?.bits;
    return (
      bits !== undefined && this.#names.some((name, at) => hasBit(bits, at) && names.has(name))
    );
  }

  /** Whether a set has this pack. */
  includes(object: string, { writer, pack }: Omit<ListedPack, 'size'>): boolean {
    const number = this.#numbers.get(writer)?.get(pack);
    const bits = this.#sets.get(object)?.bits;
    return number !== undefined && bits !== undefined && hasBit(bits, number);
  }

  /** Undefined: it is too much to be kept. */
  encode(): Uint8Array | undefined {
    const union = this.union();
    const kept = this.#names.flatMap((name, number) => (union.has(name) ? [number] : []));
    const setBytes = 2 * ID_BYTES + 8 + Math.ceil(kept.length / 8);
    if (this.#sets.size * setBytes > ENCODED_BYTES_MAX) return undefined;
    const writer = new ByteWriter(64 * 1024).u32(kept.length);
    for (const number of kept) writeIds(writer, this.#names[number] ?? '');
    writer.u32(this.#sets.size);
    for (const [object, { storedBytes, bits }] of this.#sets) {
      const renumbered = kept.flatMap((number, at) => (hasBit(bits, number) ? [at] : []));
      const encoded = bitsOf(renumbered, kept.length);
      writeIds(writer, object).u32(storedBytes).u32(encoded.length).bytes(encoded);
    }
    return concatBytes(writer.view(), blake2b256(writer.view()));
  }

  /** @throws object-damaged */
  static decode(encoded: Uint8Array, folder: WriterFolder): PackSets {
    const what = `the sets of ${folder}`;
    const end = Math.max(0, encoded.length - DIGEST_BYTES);
    const digest = blake2b256(encoded.subarray(0, end));
    if (Buffer.compare(digest, encoded.subarray(end)) !== 0) throw damaged(what, 'another digest');
    const reader = new ByteReader(encoded.subarray(0, end), what);
    const sets = new PackSets();
    for (let left = reader.u32(); left > 0; left--) {
      sets.#numberOf(idFromBytes<WriterId>(reader.bytes(ID_BYTES)), readId(reader));
    }
    for (let left = reader.u32(); left > 0; left--) {
      const object = readName(reader, folder);
      const storedBytes = reader.u32();
      sets.#sets.set(object, { storedBytes, bits: reader.bytes(reader.u32()) });
    }
    reader.end();
    return sets;
  }

  #numberOf(writer: WriterId, pack: ObjectId): number {
    const numbers = this.#numbers.get(writer) ?? new Map<ObjectId, number>();
    const known = numbers.get(pack);
    if (known !== undefined) return known;
    const number = this.#names.push(writerObjectName('packs', writer, pack)) - 1;
    this.#numbers.set(writer, numbers.set(pack, number));
    return number;
  }
}

function bitsOf(numbers: readonly number[], count: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (const number of numbers) {
    const at = Math.floor(number / 8);
    bits[at] = (bits[at] ?? 0) | (1 << (number % 8));
  }
  return bits;
}

/** False beyond the end: a set is as long as the table was when it was made. */
const hasBit = (bits: Uint8Array, number: number): boolean =>
  ((bits[Math.floor(number / 8)] ?? 0) & (1 << (number % 8))) !== 0;

function writeIds(writer: ByteWriter, name: string): ByteWriter {
  const parsed = parseWriterObjectName(name);
  if (!parsed) throw damaged(name, 'its name is none of ours');
  return writer.bytes(idBytes(parsed.writer)).bytes(idBytes(parsed.id));
}

const readId = (reader: ByteReader): ObjectId => idFromBytes<ObjectId>(reader.bytes(ID_BYTES));

function readName(reader: ByteReader, folder: WriterFolder): string {
  const writer = idFromBytes<WriterId>(reader.bytes(ID_BYTES));
  return writerObjectName(folder, writer, readId(reader));
}
