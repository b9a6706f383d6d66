/**
 * The local cache: pack directories, covers, and what was found in each directory of the install last time. All
 * of it can be deleted at any moment: that costs time and, after a kill, at most the packs of one index. It
 * never fails an operation: when the disk is full or the file is broken, the work goes on without it. (One that may
 * open no more files would fail anyway, and must not take its cache for broken.)
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { messageOf } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { IndexedPack } from '../format/index-object.ts';
import type { ObjectId, WriterId } from '../format/names.ts';
import { throwOpenFilesLimit } from '../fs/sqlite-error.ts';

type SqlValue = string | number | Uint8Array;
const WRITES_PER_TRANSACTION = 256;
const SCHEMA_VERSION = 3;
const SCHEMA = `
  CREATE TABLE packs (indexer TEXT, writer TEXT, pack TEXT, size INTEGER, indexed INTEGER, directory BLOB,
    PRIMARY KEY (indexer, writer, pack)) WITHOUT ROWID;
  CREATE TABLE verified (key TEXT, writer TEXT, pack TEXT, size INTEGER, directory BLOB,
    PRIMARY KEY (key, writer, pack)) WITHOUT ROWID;
  CREATE TABLE directories (install TEXT, root TEXT, path TEXT, entries BLOB,
    PRIMARY KEY (install, root, path)) WITHOUT ROWID;
  CREATE TABLE objects (name TEXT PRIMARY KEY, bytes BLOB) WITHOUT ROWID;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};`;

/** What the rest of the code knows of the cache. */
export type RepositoryCache = Pick<LocalCache, keyof LocalCache>;

export class LocalCache {
  #db: DatabaseSync | undefined;
  readonly #emit: Emit;
  readonly #statements = new Map<string, StatementSync>();
  #inTransaction = false;
  #writes = 0;

  private constructor(db: DatabaseSync | undefined, emit: Emit) {
    this.#db = db;
    this.#emit = emit;
  }

  /** @param directory the cache's own folder, made when missing (0700); undefined: no cache at all */
  static open(directory: string | undefined, repository: string, emit: Emit): LocalCache {
    if (directory === undefined) return new LocalCache(undefined, emit);
    const path = pathOf(directory, repository);
    const cache = new LocalCache(undefined, emit);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      cache.#db = openDatabase(path) ?? startOver(path);
    } catch (error) {
      cache.#giveUp(error);
    }
    return cache;
  }

  close(): void {
    this.flush();
    this.#statements.clear();
    try {
      this.#db?.close();
    } catch (error) {
      this.#giveUp(error);
    }
    this.#db = undefined;
  }

  /** What was written so far survives a kill from here on; it is also done every now and then. */
  flush(): void {
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    this.#execute('COMMIT', []);
  }

  /** The packs that the indexes of a writer name, or will name: its own, and those it adopted. */
  packs(indexer: WriterId): { pack: IndexedPack; indexed: boolean }[] {
    const sql = 'SELECT writer, pack, size, indexed, directory FROM packs WHERE indexer = ?';
    return this.#all(sql, indexer).flatMap((row) =>
      packIn(row).map((pack) => ({ pack, indexed: row['indexed'] === 1 })),
    );
  }

  addPack(
    indexer: WriterId,
    { writer, pack, size, directory }: IndexedPack,
    indexed: boolean,
  ): void {
    this.#run(
      'INSERT OR REPLACE INTO packs (indexer, writer, pack, size, indexed, directory) VALUES (?, ?, ?, ?, ?, ?)',
      indexer,
      writer,
      pack,
      size,
      indexed ? 1 : 0,
      directory,
    );
  }

  markIndexed(indexer: WriterId, packs: readonly IndexedPack[]): void {
    const sql = 'UPDATE packs SET indexed = 1 WHERE indexer = ? AND writer = ? AND pack = ?';
    for (const { writer, pack } of packs) this.#run(sql, indexer, writer, pack);
    this.flush();
  }

  dropPack(writer: WriterId, pack: ObjectId): void {
    this.#run('DELETE FROM packs WHERE writer = ? AND pack = ?', writer, pack);
  }

  /** What pulls have verified of packs whose chunk ids are under one key; of one pack, or of all. */
  verifiedPacks(key: string, of?: Pick<IndexedPack, 'writer' | 'pack'>): IndexedPack[] {
    const sql = 'SELECT writer, pack, size, directory FROM verified WHERE key = ?';
    const rows = of
      ? this.#all(`${sql} AND writer = ? AND pack = ?`, key, of.writer, of.pack)
      : this.#all(sql, key);
    return rows.flatMap(packIn);
  }

  addVerifiedPack(key: string, { writer, pack, size, directory }: IndexedPack): void {
    this.#run(
      'INSERT OR REPLACE INTO verified (key, writer, pack, size, directory) VALUES (?, ?, ?, ?, ?)',
      key,
      writer,
      pack,
      size,
      directory,
    );
  }

  dropVerifiedPacks(key: string): void {
    this.#run('DELETE FROM verified WHERE key = ?', key);
  }

  directory(install: string, root: string, path: string): Uint8Array | undefined {
    const row = this.#get(
      'SELECT entries FROM directories WHERE install = ? AND root = ? AND path = ?',
      install,
      root,
      path,
    );
    return row?.['entries'] instanceof Uint8Array ? row['entries'] : undefined;
  }

  setDirectory(install: string, root: string, path: string, entries: Uint8Array): void {
    this.#run(
      'INSERT OR REPLACE INTO directories (install, root, path, entries) VALUES (?, ?, ?, ?)',
      install,
      root,
      path,
      entries,
    );
  }

  /** Small immutable objects, by name. */
  object(name: string): Uint8Array | undefined {
    const row = this.#get('SELECT bytes FROM objects WHERE name = ?', name);
    return row?.['bytes'] instanceof Uint8Array ? row['bytes'] : undefined;
  }

  setObject(name: string, bytes: Uint8Array): void {
    this.#run('INSERT OR REPLACE INTO objects (name, bytes) VALUES (?, ?)', name, bytes);
  }

  dropObject(name: string): void {
    this.#run('DELETE FROM objects WHERE name = ?', name);
  }

  fact(name: string): string | undefined {
    const row = this.#get('SELECT value FROM facts WHERE name = ?', name);
    return typeof row?.['value'] === 'string' ? row['value'] : undefined;
  }

  setFact(name: string, value: string): void {
    this.#run('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', name, value);
  }

  /** Writes are gathered: a transaction for each would cost more than everything else. */
  #run(sql: string, ...values: SqlValue[]): void {
    if (!this.#inTransaction) {
      this.#inTransaction = true;
      this.#writes = 0;
      this.#execute('BEGIN', []);
    }
    this.#execute(sql, values);
    if (++this.#writes >= WRITES_PER_TRANSACTION) this.flush();
  }

  #execute(sql: string, values: readonly SqlValue[]): void {
    try {
      this.#statement(sql)?.run(...values);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #get(sql: string, ...values: string[]): Record<string, unknown> | undefined {
    try {
      return this.#statement(sql)?.get(...values);
    } catch (error) {
      this.#giveUp(error);
      return undefined;
    }
  }

  #all(sql: string, ...values: string[]): Record<string, unknown>[] {
    try {
      return this.#statement(sql)?.all(...values) ?? [];
    } catch (error) {
      this.#giveUp(error);
      return [];
    }
  }

  #statement(sql: string): StatementSync | undefined {
    const known = this.#statements.get(sql);
    if (known) return known;
    const prepared = this.#db?.prepare(sql);
    if (prepared) this.#statements.set(sql, prepared);
    return prepared;
  }

  /** Says it once; from here on the cache answers nothing and keeps nothing. */
  #giveUp(error: unknown): void {
    const db = this.#db;
    this.#db = undefined;
    this.#statements.clear();
    try {
      db?.close();
    } catch {
      // What it was given up for is said.
    }
    throwOpenFilesLimit(error);
    this.#emit({
      type: 'notice',
      code: 'cache-off',
      message: `going on without the local cache: ${messageOf(error)}`,
      hint: 'Nothing is lost; the next run reads more files. The cache folder may be deleted at any time.',
    });
  }
}

function packIn(row: Record<string, unknown>): IndexedPack[] {
  const { writer, pack, size, directory } = row;
  if (!(directory instanceof Uint8Array)) return [];
  return [
    {
      writer: String(writer) as WriterId,
      pack: String(pack) as ObjectId,
      size: Number(size),
      directory,
    },
  ];
}

/** What there is of the cache of one repository. */
export const cacheFiles = (directory: string, repository: string): string[] =>
  FILES.map((suffix) => pathOf(directory, repository) + suffix).filter(existsSync);

export function removeCache(directory: string, repository: string): void {
  removeFiles(pathOf(directory, repository));
}

/** With what SQLite lays beside a database. */
const FILES = ['', '-wal', '-shm'] as const;

const pathOf = (directory: string, repository: string): string =>
  join(directory, `${repository}.sqlite`);

function removeFiles(path: string): void {
  for (const suffix of FILES) rmSync(path + suffix, { force: true });
}

/** The database, or undefined when it is broken or of another version. */
function openDatabase(path: string): DatabaseSync | undefined {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    const row = db.prepare('PRAGMA user_version').get();
    if (row?.['user_version'] === 0) db.exec(SCHEMA);
    else if (row?.['user_version'] !== SCHEMA_VERSION) throw new Error('another version');
    return db;
  } catch (error) {
    db.close();
    throwOpenFilesLimit(error);
    // Not a database, damaged, or of another version: disposable, so it is made anew by the caller.
    return undefined;
  }
}

function startOver(path: string): DatabaseSync {
  removeFiles(path);
  const db = openDatabase(path);
  if (db) return db;
  throw new Error(`${path} cannot be made (is the disk full?)`);
}
