/** Consistent private copies of databases, a few at a time, each gone as soon as it was read. */
import { asBytePath, joinBytes, type BytePath } from '../base/byte-path.ts';
import { assert } from '../base/errors.ts';
import { captureSqlite, type SqliteCapture } from '../fs/sqlite-capture.ts';
import { removeTemp } from '../fs/sqlite-copy.ts';
import { setFingerprint } from '../fs/sqlite-file.ts';
import type { ToCapture } from './capturer.ts';

type ReadCopy = (copy: BytePath, size: number) => Promise<Read>;
type Read = { readonly size: number; readonly ids: Uint8Array };
export type CopiedDatabase =
  | { readonly kind: 'left out'; readonly omission: string }
  | {
      readonly kind: 'left out';
      readonly omission?: undefined;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly kind: 'copied';
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

export class DatabaseCopier {
  readonly #directory: BytePath;
  #last = 0;
  /** Backups run one after the other. */
  #backups: Promise<unknown> = Promise.resolve();
  readonly #copies: Promise<unknown>[] = [];

  /** @param directory private (0700), ours alone, with room for the two largest databases */
  constructor(directory: BytePath) {
    this.#directory = directory;
  }

  async capture(file: ToCapture, read: ReadCopy): Promise<CopiedDatabase> {
    const number = this.#last++;
    const copy = joinBytes(this.#directory, asBytePath(`database-${number}`));
    const earlier = this.#copies[number - COPIES_MAX];
    const backup = this.#backups.then(async () => {
      await earlier;
      return await captureSqlite(file.path, copy);
    });
    this.#backups = backup.catch(() => undefined);
    const done = backup
      .then((captured) => readParts(captured, read))
      .finally(() => removeTemp(copy));
    this.#copies[number] = done.catch(() => undefined);
    return await done;
  }
}

async function readParts(captured: SqliteCapture, read: ReadCopy): Promise<CopiedDatabase> {
  if (captured.kind === 'vanished')
    return { kind: 'left out', omission: 'vanished during the push' };
  if (captured.kind === 'not-sqlite')
    return { kind: 'left out', omission: 'replaced during the push' };
  if (captured.kind === 'problem') {
    return { kind: 'left out', code: captured.code, message: captured.message };
  }
  const reads = new Map<string, Read>();
  for (const part of captured.parts) reads.set(part.suffix, await read(part.file, part.size));
  const main = reads.get('');
  assert(main, 'a captured database has its main file');
  reads.delete('');
  return {
    kind: 'copied',
    read: main,
    beside: reads,
    consistent: captured.way !== 'raw-copy',
    stable: captured.stable,
    fingerprint: setFingerprint(captured.set),
    ...(captured.problem ? { problem: captured.problem } : {}),
  };
}
