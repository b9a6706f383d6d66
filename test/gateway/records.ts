/** What an install holds, read from its files without any code of ours: transcripts, sessions, whole databases. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Records per session of one agent: lines of a transcript, or events in a database. By session id. */
export function recordsOf(stateDir: string, agent: string): Map<string, number> {
  const folder = join(stateDir, 'agents', agent);
  const path = join(folder, 'agent/openclaw-agent.sqlite');
  if (existsSync(path)) {
    const sql =
      'SELECT session_id AS id, count(*) AS n FROM transcript_events GROUP BY 1 ORDER BY 1';
    return withDatabase(
      path,
      (database) =>
        new Map(
          database
            .prepare(sql)
            .all()
            .map((row) => [String(row['id']), Number(row['n'])]),
        ),
    );
  }
  const transcripts = join(folder, 'sessions');
  const names = readdirSync(transcripts).filter((name) => name.endsWith('.jsonl'));
  return new Map(
    names.toSorted().map((name) => {
      const lines = readFileSync(join(transcripts, name), 'utf8').split('\n');
      return [name.slice(0, -'.jsonl'.length), lines.length - 1];
    }),
  );
}

export const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

/** Every database passes its own check, every transcript is made of whole records; answers how many of each. */
export function assertWhole(folder: string): { databases: number; transcripts: number } {
  const found = { databases: 0, transcripts: 0 };
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (name.endsWith('.sqlite')) {
      found.databases += 1;
      const answer = withDatabase(path, (database) =>
        database.prepare('PRAGMA integrity_check').get(),
      );
      assert.equal(answer?.['integrity_check'], 'ok', name);
    } else if (name.endsWith('.jsonl')) {
      found.transcripts += 1;
      const text = readFileSync(path, 'utf8');
      assert.ok(text === '' || text.endsWith('\n'), `${name} ends in the middle of a record`);
      for (const line of text.split('\n').slice(0, -1)) JSON.parse(line);
    }
  }
  return found;
}

/** A copy nobody has open; a read of the original must not leave files beside it. */
function withDatabase<T>(path: string, ask: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return ask(database);
  } finally {
    database.close();
  }
}
