/** A SQLite database in use: WAL mode, an open connection, and rows that are in the -wal only. */
import { DatabaseSync } from 'node:sqlite';
import { seeded, sentence } from './sample-content.ts';

export type SampleDatabase = {
  readonly path: string;
  /** Commits one more row; answers how many there are. */
  commit(): number;
  close(): void;
};

const ROWS = 2_000;
/** These were committed after the last checkpoint. */
const ROWS_IN_WAL = 50;

export function openDatabase(path: string): SampleDatabase {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('CREATE TABLE IF NOT EXISTS chunks (id INTEGER PRIMARY KEY, path TEXT, text TEXT)');
  const insert = database.prepare('INSERT INTO chunks (path, text) VALUES (?, ?)');
  const random = seeded(2026);
  let rows = 0;
  const add = (): void => {
    insert.run('MEMORY.md', sentence(random, 40));
    rows += 1;
  };
  database.exec('BEGIN');
  while (rows < ROWS - ROWS_IN_WAL) add();
  database.exec('COMMIT');
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  // From here on everything stays in the -wal, as with a gateway that is busy.
  database.exec('PRAGMA wal_autocheckpoint = 0');
  while (rows < ROWS) add();
  return {
    path,
    commit: () => {
      add();
      return rows;
    },
    close: () => database.close(),
  };
}
