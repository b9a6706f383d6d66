/**
 * Consistent databases: one that nobody writes to is read where it lies, any other from a private copy; a few of
 * those at a time, each gone as soon as it was read.
 */
import { asBytePath, joinBytes, showPath, type BytePath } from '../base/byte-path.ts';
import { assert, FerryError } from '../base/errors.ts';
import { captureSqlite, type SqliteCapture } from '../fs/sqlite-capture.ts';
import { removeTemp } from '../fs/sqlite-copy.ts';
import { setFingerprint } from '../fs/sqlite-file.ts';
import { restingDatabase } from '../fs/sqlite-resting.ts';
import type { ToCapture } from './capturer.ts';

/** Undefined: there is less to read than `size`. */
type ReadWhole = (path: BytePath, size: number) => Promise<Read | undefined>;
type Read = { readonly size: number; readonly ids: Uint8Array };
export type CapturedDatabase =
  | { readonly kind: 'left out'; readonly omission: string }
  | {
      readonly kind: 'left out';
      readonly omission?: undefined;
      readonly code: string;
      readonly message: string;
    }
  | ReadDatabase;

type ReadDatabase = {
  readonly kind: 'read';
  readonly read: Read;
  /** One consistent file; false: the files of the set as they were, to be kept side by side. */
  readonly consistent: boolean;
  /** Of a set that is kept side by side: what lies beside the database, by suffix. */
  readonly beside: ReadonlyMap<string, Read>;
  readonly stable: boolean;
  readonly fingerprint: string;
  readonly problem?: { readonly code: string; readonly message: string };
};

/** While one copy is read by the workers, SQLite makes the next; there is never room needed for more. */
const COPIES_MAX = 2;

export class DatabaseReader {
  readonly #directory: BytePath;
  #last = 0;
  /** One after the other, until the database was read or its copy is made. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly #copies: Promise<unknown>[] = [];

  /** @param directory private (0700), ours alone, with room for the two largest databases */
  constructor(directory: BytePath) {
    this.#directory = directory;
  }

  async capture(file: ToCapture, read: ReadWhole): Promise<CapturedDatabase> {
    const number = this.#last++;
    const copy = joinBytes(this.#directory, asBytePath(`database-${number}`));
    const earlier = this.#copies[number - COPIES_MAX];
    const captured = this.#queue.then(async () => {
      const resting = await readResting(file.path, read);
      if (resting) return resting;
      await earlier;
      return await captureSqlite(file.path, copy);
    });
    this.#queue = captured.catch(() => undefined);
    const done = captured
      .then((one) => (one.kind === 'read' ? one : readParts(one, read)))
      .finally(() => removeTemp(copy));
    this.#copies[number] = done.catch(() => undefined);
    return await done;
  }
}

/** Undefined when it is in use, or was written to while it was read. */
async function readResting(path: BytePath, read: ReadWhole): Promise<ReadDatabase | undefined> {
  const resting = restingDatabase(path);
  if (!resting) return undefined;
  const whole = await read(path, resting.set.database.size);
  if (!whole || !resting.isUntouched()) return undefined;
  return {
    kind: 'read',
    read: whole,
    beside: new Map(),
    consistent: true,
    stable: true,
    fingerprint: setFingerprint(resting.set),
  };
}

async function readParts(captured: SqliteCapture, read: ReadWhole): Promise<CapturedDatabase> {
  if (captured.kind === 'vanished')
    return { kind: 'left out', omission: 'vanished during the push' };
  if (captured.kind === 'not-sqlite')
    return { kind: 'left out', omission: 'replaced during the push' };
  if (captured.kind === 'problem') {
    return { kind: 'left out', code: captured.code, message: captured.message };
  }
  const reads = new Map<string, Read>();
  for (const { suffix, file, size } of captured.parts) {
    const part = await read(file, size);
    if (!part)
      throw new FerryError('file-unreadable', `our copy ${showPath(file)} cannot be read whole`);
    reads.set(suffix, part);
  }
  const main = reads.get('');
  assert(main, 'a captured database has its main file');
  reads.delete('');
  return {
    kind: 'read',
    read: main,
    beside: reads,
    consistent: captured.way !== 'raw-copy',
    stable: captured.stable,
    fingerprint: setFingerprint(captured.set),
    ...(captured.problem ? { problem: captured.problem } : {}),
  };
}
