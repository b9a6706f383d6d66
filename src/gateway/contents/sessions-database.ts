/** The newest generation keeps an agent's sessions and transcripts in one SQLite database. */
import type { DatabaseSync } from 'node:sqlite';
import { toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { askDatabase, tablesOf } from '../disk/database.ts';
import { statIfAny } from '../disk/read.ts';

export type DatabaseSessions = { readonly sessions: number; readonly transcripts: number };

/** Undefined when there is no database, or none with sessions in it. */
export function countDatabaseSessions(path: BytePath): DatabaseSessions | undefined {
  if ((statIfAny(toFsPath(path))?.size ?? 0) === 0) return undefined;
  return askDatabase(path, (database) => {
    const tables = tablesOf(database);
    if (!tables.has('session_nodes')) return undefined;
    const transcripts = ['transcript_events', 'session_transcript_cold_archives'].filter((table) =>
      tables.has(table),
    );
    return {
      sessions: countOf(database, 'SELECT count(*) AS n FROM session_nodes'),
      transcripts: countOf(database, distinctSessions(transcripts)),
    };
  });
}

function distinctSessions(tables: readonly string[]): string {
  if (tables.length === 0) return 'SELECT 0 AS n';
  const ids = tables.map((table) => `SELECT session_id FROM ${table}`).join(' UNION ');
  return `SELECT count(*) AS n FROM (${ids})`;
}

const countOf = (database: DatabaseSync, sql: string): number =>
  Number(database.prepare(sql).get()?.['n'] ?? 0);
