/**
 * What the last push found in each directory: by it, an unchanged file is not even opened. One cache row per
 * directory, read with a cursor since the walk comes in the same order as the row was written. The ids of a large
 * file are megabytes, which SQLite would copy several times over: they lie in slices of their own, and the row has
 * their digests.
 */
import { asBytePath, type BytePath } from '../base/byte-path.ts';
import { ByteReader, ByteWriter, concatBytes, view } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { sameBytes, blake2b256 } from '../crypto/sodium.ts';
import type { FileStat } from '../fs/file-stat.ts';
import type { RepositoryCache } from '../repository/cache.ts';

export type SeenFile = {
  readonly name: BytePath;
  /** As `statBytes` writes it. */
  readonly stat: Uint8Array;
  /** Of a database: what its whole set looked like; '' for any other file. */
  readonly fingerprint: string;
  /** The entry without its path, encoded. */
  readonly rest: Uint8Array;
  /** The ids of all its chunks. */
  readonly ids: Uint8Array;
};

/** The files of one directory, asked for in name order. */
export class SeenDirectory {
  readonly #sliceOf: SliceOf;
  #reader: ByteReader | undefined;
  #next: SeenFile | undefined;

  constructor(row: Uint8Array | undefined, sliceOf: SliceOf) {
    this.#sliceOf = sliceOf;
    this.#reader = row ? new ByteReader(row, 'a row of the local cache') : undefined;
    this.#advance();
  }

  find(name: BytePath): SeenFile | undefined {
    while (this.#next !== undefined && this.#next.name < name) this.#advance();
    return this.#next?.name === name ? this.#next : undefined;
  }

  /** A damaged row is as good as none from there on: the files are read again. */
  #advance(): void {
    this.#next = undefined;
    try {
      while (!this.#next && this.#reader && this.#reader.remaining > 0) {
        this.#next = this.#read(this.#reader);
      }
    } catch (error) {
      if (!(error instanceof FerryError)) throw error;
      this.#reader = undefined;
    }
  }

  /** Undefined: a slice of its ids is gone, or is another one. */
  #read(reader: ByteReader): SeenFile | undefined {
    const name = asBytePath(reader.latin1(reader.u16()));
    const stat = reader.bytes(STAT_BYTES);
    const fingerprint = reader.latin1(reader.u16());
    const rest = reader.bytes(reader.u32());
    const ids = this.#ids(reader, name);
    return ids && { name, stat, fingerprint, rest, ids };
  }

  #ids(reader: ByteReader, name: BytePath): Uint8Array | undefined {
    const length = reader.u32();
    if (length <= SLICE_BYTES) return reader.bytes(length);
    const slices: Uint8Array[] = [];
    for (let number = 0; number * SLICE_BYTES < length; number++) {
      const digest = reader.bytes(DIGEST_BYTES);
      const slice = this.#sliceOf(name, number);
      if (slice && sameBytes(blake2b256(slice), digest)) slices.push(slice);
    }
    const ids = concatBytes(...slices);
    return ids.length === length ? ids : undefined;
  }
}

type SliceOf = (name: BytePath, number: number) => Uint8Array | undefined;

const SLICE_BYTES = 256 * 1024;
const DIGEST_BYTES = 32;

export type SeenFiles = {
  readonly cache: RepositoryCache;
  readonly install: string;
  readonly root: string;
};

export const openSeen = (seen: SeenFiles, directory: BytePath): SeenDirectory =>
  new SeenDirectory(seen.cache.directory(seen.install, seen.root, directory), (name, number) =>
    seen.cache.object(sliceName(seen, directory, name, number)),
  );

const sliceName = (
  { install, root }: SeenFiles,
  directory: BytePath,
  name: BytePath,
  number: number,
): string => `ids ${number} of ${install} ${root} ${directory}/${name}`;

/** Collects what is found in one directory now, and writes the row when something differs. */
export class SeenCollector {
  #files: SeenFile[] = [];
  #changed = false;
  /** Files of this directory that are still being captured. */
  pending = 0;
  /** The walk has left the directory: nothing more will come. */
  complete = false;

  add(file: SeenFile, changed: boolean): void {
    this.#changed ||= changed;
    this.#files.push(file);
  }

  /** A file that could not be remembered: its old row must not be believed either. */
  forget(): void {
    this.#changed = true;
  }

  save(seen: SeenFiles, directory: BytePath): void {
    if (!this.#changed) return;
    const writer = new ByteWriter(1024);
    for (const file of this.#files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      encodeSeen(writer, file, (number, slice) =>
        seen.cache.setObject(sliceName(seen, directory, file.name, number), slice),
      );
    }
    seen.cache.setDirectory(seen.install, seen.root, directory, writer.view());
    writer.release();
  }
}

function encodeSeen(
  writer: ByteWriter,
  file: SeenFile,
  setSlice: (number: number, slice: Uint8Array) => void,
): void {
  writer.u16(file.name.length).latin1(file.name).bytes(file.stat);
  writer.u16(file.fingerprint.length).latin1(file.fingerprint);
  writer.u32(file.rest.length).bytes(file.rest);
  const { ids } = file;
  writer.u32(ids.length);
  if (ids.length <= SLICE_BYTES) return void writer.bytes(ids);
  for (let number = 0; number * SLICE_BYTES < ids.length; number++) {
    const slice = ids.subarray(number * SLICE_BYTES, (number + 1) * SLICE_BYTES);
    setSlice(number, slice);
    writer.bytes(blake2b256(slice));
  }
}

/** Five numbers of 64 bits in this machine's own order: rows are compared and never sent anywhere. */
const numbers = new BigInt64Array(5);
const STAT_BYTES = numbers.byteLength;
const numberBytes = new Uint8Array(numbers.buffer);

/** What a row keeps of a file's version, to be compared as bytes: once per file of a push. */
export const statBytes = (stat: FileStat): Uint8Array => Buffer.from(numbersOf(stat));

export const isSeenStat = (seen: Uint8Array, stat: FileStat): boolean =>
  view(seen).equals(numbersOf(stat));

/** A view that the next call overwrites. */
function numbersOf(stat: FileStat): Uint8Array {
  numbers[0] = BigInt(stat.size);
  numbers[1] = stat.mtimeNs;
  numbers[2] = stat.ctimeNs;
  numbers[3] = stat.ino;
  numbers[4] = stat.dev;
  return numberBytes;
}
