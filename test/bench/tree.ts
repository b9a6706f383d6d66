/** Writes a workload's files, with times in the past that depend on the seed only. */
import { appendFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Seeded } from '../support/seeded.ts';

export type Tree = {
  readonly root: string;
  files: number;
  bytes: number;
  write(path: string, content: string | Uint8Array): void;
  append(path: string, content: string): void;
};

const FIRST_TIME_S = Date.UTC(2026, 0, 1) / 1000;
const SPAN_S = 200 * 24 * 3600;

export function openTree(root: string, random: Seeded): Tree {
  const made = new Set<string>();
  const times = random.fork('times');
  const touch = (path: string): void => {
    const at = FIRST_TIME_S + times.integer(0, SPAN_S);
    utimesSync(path, at, at);
  };
  const tree: Tree = {
    root,
    files: 0,
    bytes: 0,
    write: (path, content) => {
      const full = join(root, path);
      const folder = dirname(full);
      if (!made.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
      made.add(folder);
      writeFileSync(full, content);
      touch(full);
      tree.files += 1;
      tree.bytes += content.length;
    },
    append: (path, content) => {
      appendFileSync(join(root, path), content);
      tree.bytes += content.length;
    },
  };
  return tree;
}

const TEXT_LENGTH = 900;
const EMBEDDING_BYTES = 4096;

/** A database as a memory index keeps it: texts with embeddings, which compress a little. */
export function writeDatabase(tree: Tree, path: string, wantedBytes: number, random: Seeded): void {
  tree.write(path, '');
  const database = new DatabaseSync(join(tree.root, path));
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 4096');
  database.exec(
    'CREATE TABLE chunks (id TEXT PRIMARY KEY, path TEXT, text TEXT, embedding BLOB, updated INTEGER)',
  );
  database.exec('BEGIN');
  const insert = database.prepare('INSERT INTO chunks VALUES (?, ?, ?, ?, ?)');
  const rows = Math.round(wantedBytes / (EMBEDDING_BYTES + TEXT_LENGTH + 500));
  for (let row = 0; row < rows; row += 1) {
    const text = random.prose(random.integer(TEXT_LENGTH / 2, TEXT_LENGTH * 1.5));
    insert.run(rowId(row), `memory/note-${row % 400}.md`, text, embedding(random), row);
  }
  database.exec('COMMIT');
  database.close();
  tree.bytes += wantedBytes;
}

/** Writes to about `share` of the pages, scattered, as a day of use does. */
export function changeDatabase(tree: Tree, path: string, share: number, random: Seeded): void {
  const database = new DatabaseSync(join(tree.root, path));
  database.exec('PRAGMA synchronous = OFF; BEGIN');
  const rows = Number(database.prepare('SELECT count(*) AS n FROM chunks').get()?.['n'] ?? 0);
  const update = database.prepare('UPDATE chunks SET embedding = ?, updated = ? WHERE id = ?');
  // A row and its overflow pages are about two pages, and so is every row's share of the file.
  for (let changed = 0; changed < rows * share; changed += 1) {
    update.run(embedding(random), 1_000_000 + changed, rowId(random.integer(0, rows - 1)));
  }
  database.exec('COMMIT');
  database.close();
}

/** Numbers in a narrow range: the exponents repeat, the rest is noise. */
function embedding(random: Seeded): Buffer {
  const bytes = random.noise(EMBEDDING_BYTES);
  for (let at = 3; at < bytes.length; at += 4) bytes[at] = 0x3d;
  return bytes;
}

const rowId = (row: number): string => `chunk-${(row * 2_654_435_761) % 4_294_967_296}-${row}`;
