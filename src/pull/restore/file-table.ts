/** The entries that a restore places, in columns: half a million files must not be half a million objects. */
import type { BytePath } from '../../base/byte-path.ts';
import { assert } from '../../base/errors.ts';
import type { Entry } from '../../format/entry.ts';
import type { PlaceAttributes } from '../../fs/place.ts';
import type { TimeRecord } from '../../fs/times.ts';
import type { RestoreFile } from '../../workers/restore-task.ts';

export type Owner = PlaceAttributes['owner'];
const NO_OWNER = 0xffffffff;
const COLUMNS = 8;
const [STAGE, MODE, UID, GID, CHUNK, SPARSE, FAILED, WANTED] = [0, 1, 2, 3, 4, 5, 6, 7];

export class FileTable {
  readonly #paths: BytePath[] = [];
  #numbers = new Uint32Array(1024 * COLUMNS);
  #sizes = new Float64Array(1024);
  #times = new BigInt64Array(1024);

  get length(): number {
    return this.#paths.length;
  }

  /** @returns the entry's number */
  add(stage: number, entry: Entry, owner: Owner): number {
    const number = this.#paths.push(entry.path) - 1;
    this.#reserve(number + 1);
    const isFile = entry.type === 'file';
    this.#sizes[number] = isFile ? entry.size : 0;
    this.#times[number] = entry.mtimeNs;
    this.#numbers.set(
      [
        stage,
        entry.mode,
        owner?.uid ?? NO_OWNER,
        owner?.gid ?? NO_OWNER,
        isFile ? entry.chunkBytes : 0,
        isFile && entry.sparse ? 1 : 0,
        0,
        0,
      ],
      number * COLUMNS,
    );
    return number;
  }

  file(number: number): RestoreFile {
    return {
      stage: this.#column(number, STAGE),
      path: this.path(number),
      size: this.#sizes[number] ?? 0,
      chunkBytes: this.#column(number, CHUNK),
      sparse: this.#column(number, SPARSE) === 1,
      attributes: this.attributes(number),
    };
  }

  path(number: number): BytePath {
    const path = this.#paths[number];
    assert(path !== undefined, `no file ${number}`);
    return path;
  }

  stage(number: number): number {
    return this.#column(number, STAGE);
  }

  attributes(number: number): PlaceAttributes {
    const uid = this.#column(number, UID);
    const mode = this.#column(number, MODE);
    return uid === NO_OWNER ? { mode } : { mode, owner: { uid, gid: this.#column(number, GID) } };
  }

  /** Needs more than one chunk, so it is begun and finished apart from its content. */
  isLarge(number: number): boolean {
    return (this.#sizes[number] ?? 0) > this.#column(number, CHUNK);
  }

  /** Something is in its place already: zeros must be written like anything else. */
  markNotSparse(number: number): void {
    this.#numbers[number * COLUMNS + (SPARSE ?? 0)] = 0;
  }

  markFailed(number: number): void {
    this.#numbers[number * COLUMNS + (FAILED ?? 0)] = 1;
  }

  isFailed(number: number): boolean {
    return this.#column(number, FAILED) === 1;
  }

  /** The files that are not lost; a further name of one, which has no content of its own, is none of them. */
  arrivedInAll(): { readonly files: number; readonly bytes: number } {
    let [files, bytes] = [0, 0];
    for (let number = 0; number < this.length; number++) {
      if (this.#column(number, CHUNK) === 0 || this.isFailed(number)) continue;
      files += 1;
      bytes += this.#sizes[number] ?? 0;
    }
    return { files, bytes };
  }

  /** One more chunk of it has to be fetched. */
  want(number: number): void {
    this.#numbers[number * COLUMNS + (WANTED ?? 0)] = this.#column(number, WANTED) + 1;
  }

  /** One of them is in its place. Whether that was the last one. */
  arrived(number: number): boolean {
    const left = this.#column(number, WANTED) - 1;
    assert(left >= 0, `a chunk of file ${number} that nobody wanted`);
    this.#numbers[number * COLUMNS + (WANTED ?? 0)] = left;
    return left === 0;
  }

  isWanted(number: number): boolean {
    return this.#column(number, WANTED) > 0;
  }

  time(number: number, path: BytePath): TimeRecord {
    return { path, mtimeNs: this.#times[number] ?? 0n };
  }

  #column(number: number, column: number | undefined): number {
    return this.#numbers[number * COLUMNS + (column ?? 0)] ?? 0;
  }

  #reserve(files: number): void {
    if (files <= this.#sizes.length) return;
    const numbers = new Uint32Array(this.#numbers.length * 2);
    numbers.set(this.#numbers);
    const sizes = new Float64Array(this.#sizes.length * 2);
    sizes.set(this.#sizes);
    const times = new BigInt64Array(this.#times.length * 2);
    times.set(this.#times);
    [this.#numbers, this.#sizes, this.#times] = [numbers, sizes, times];
  }
}
