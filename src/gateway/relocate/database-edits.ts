/**
 * The scheduler of the newest generation files its jobs in the shared database under `store_key`: the absolute path of
 * the file in which the generation before it kept them. Moved to another home, the product looks under another key,
 * finds nothing, and begins with an empty schedule, without a word (tried with 2026.9.6). So this one column is
 * relocated, in the stage, where no program has the database open. Nothing else of any database is touched.
 */
import { DatabaseSync } from 'node:sqlite';
import { toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { assert, FerryError } from '../../base/errors.ts';
import { JOBS_KEY } from '../contents/cron-jobs.ts';
import { askDatabase, distrust, tablesOf } from '../disk/database.ts';
import { locateIn } from '../disk/locate.ts';
import { statIfAny } from '../disk/read.ts';
import { movePath } from './path-map.ts';
import type { DatabaseChange, RelocationPlan, RelocationRequest } from './relocation.ts';

const DATABASE = 'state/openclaw.sqlite';

export function planDatabaseEdits(request: RelocationRequest): RelocationPlan {
  const at = locateIn(request.roots, `${request.stateDir}/${DATABASE}`);
  if (at === undefined || (statIfAny(toFsPath(at))?.size ?? 0) === 0) {
    return { edits: [], notices: [] };
  }
  try {
    return { edits: askDatabase(at, (database) => changesIn(database, request, at)), notices: [] };
  } catch (error) {
    // Damaged on the old machine too; everything else still arrives.
    if (!(error instanceof FerryError) || error.code !== 'file-unreadable') throw error;
    const message = `${request.stateDir}/${DATABASE} cannot be read: paths in it stay as they are`;
    return { edits: [], notices: [{ code: 'database-damaged', message }] };
  }
}

function changesIn(
  database: DatabaseSync,
  { map, stateDir }: RelocationRequest,
  at: BytePath,
): DatabaseChange[] {
  const file = `${stateDir}/${DATABASE}`;
  return keyedTables(database).flatMap((table): DatabaseChange[] =>
    database
      .prepare(`SELECT DISTINCT ${JOBS_KEY} AS found FROM "${table}"`)
      .all()
      .flatMap((row) => {
        const from = String(row['found']);
        const to = movePath(map, from);
        if (to === undefined || to === from) return [];
        return [{ kind: 'database', at, file, where: `${table}.${JOBS_KEY}`, from, to }];
      }),
  );
}

/** On a copy that nobody else has open. */
export function applyDatabaseEdits(path: string | Buffer, edits: readonly DatabaseChange[]): void {
  const database = distrust(new DatabaseSync(path, { enableForeignKeyConstraints: false }));
  try {
    const tables = keyedTables(database);
    for (const { where, from, to } of edits) {
      const table = where.slice(0, -JOBS_KEY.length - 1);
      assert(tables.includes(table), `${table} was planned as a table with ${JOBS_KEY}`);
      database.prepare(`UPDATE "${table}" SET ${JOBS_KEY} = ? WHERE ${JOBS_KEY} = ?`).run(to, from);
    }
  } finally {
    // In WAL mode this is also the checkpoint: no -wal is left beside the file.
    database.close();
  }
}

/** Tables of the scheduler that are filed by key. */
function keyedTables(database: DatabaseSync): string[] {
  return [...tablesOf(database)].filter(
    (table) =>
      /^cron_\w+$/.test(table) &&
      database
        .prepare(`SELECT name FROM pragma_table_info('${table}')`)
        .all()
        .some((column) => column['name'] === JOBS_KEY),
  );
}
