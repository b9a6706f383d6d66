/**
 * What the last push found in each directory: by it, an unchanged file is not even opened. One cache row per
 * directory, read with a cursor since the walk comes in the same order as the row was written.
 */
import { asBytePath, type BytePath } from '../base/byte-path.ts';
import { ByteReader, ByteWriter, view } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
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
  #reader: ByteReader | undefined;
  #next: SeenFile | undefined;

  constructor(row: Uint8Array | undefined) {
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
    if (!this.#reader || this.#reader.remaining === 0) return;
    try {
      this.#next = this.#read(this.#reader);
    } catch (error) {
      if (!(error instanceof FerryError)) throw error;
      this.#reader = undefined;
    }
  }

  #read(reader: ByteReader): SeenFile {
    return {
      name: asBytePath(reader.latin1(reader.u16())),
      stat: reader.bytes(STAT_BYTES),
      fingerprint: reader.latin1(reader.u16()),
      rest: reader.bytes(reader.u32()),
      ids: reader.bytes(reader.u32()),
    };
  }
}

export type SeenFiles = {
  readonly cache: RepositoryCache;
  readonly install: string;
  readonly root: string;
};

export const openSeen = (seen: SeenFiles, directory: BytePath): SeenDirectory =>
  new SeenDirectory(seen.cache.directory(seen.install, seen.root, directory));

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
      encodeSeen(writer, file);
    }
    seen.cache.setDirectory(seen.install, seen.root, directory, writer.view());
  }
}

function encodeSeen(writer: ByteWriter, file: SeenFile): void {
  writer.u16(file.name.length).latin1(file.name).bytes(file.stat);
  writer.u16(file.fingerprint.length).latin1(file.fingerprint);
  writer.u32(file.rest.length).bytes(file.rest);
  writer.u32(file.ids.length).bytes(file.ids);
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
