/**
 * A process that commits to a database all the time until its stdin ends, and says so after its first commits.
 * Arguments: database, journal mode.
 */
import { DatabaseSync } from 'node:sqlite';

const [path = '', mode = 'wal'] = process.argv.slice(2);
const database = new DatabaseSync(path, { timeout: 10_000 });
database.exec(`PRAGMA journal_mode=${mode}; PRAGMA synchronous=off`);
database.exec('CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
const insert = database.prepare('INSERT INTO turns (body) VALUES (?)');

let committed = 0;
const commitSome = (): void => {
  database.exec('BEGIN IMMEDIATE');
  for (let row = 0; row < 20; row++) insert.run('x'.repeat(100 + ((committed * 37 + row) % 900)));
  database.exec('COMMIT');
  committed += 1;
  if (committed === 5) process.stdout.write('busy\n');
  // A few hundred commits a second; unbridled, the database outgrows its own copies.
  setTimeout(commitSome, 2);
};

process.stdin.on('end', () => {
  // Without closing the database: what a killed gateway leaves behind.
  process.exit(0);
});
process.stdin.resume();
commitSome();
