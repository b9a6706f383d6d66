/**
 * The scheduler's jobs in the shared database of the newest generation: filed under `store_key`, the absolute path of
 * the file in which the generation before it kept them.
 */
import { toFsPath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { askDatabase, tablesOf } from '../disk/database.ts';
import { statIfAny } from '../disk/read.ts';

export const JOBS_KEY = 'store_key';

/** Jobs filed under one key; undefined where there is no such database. */
export function countDatabaseJobs(path: BytePath, storeKey: string): number | undefined {
  if ((statIfAny(toFsPath(path))?.size ?? 0) === 0) return undefined;
  return askDatabase(path, (database) => {
    if (!tablesOf(database).has('cron_jobs')) return undefined;
    const count = database.prepare(`SELECT count(*) AS n FROM cron_jobs WHERE ${JOBS_KEY} = ?`);
    return Number(count.get(storeKey)?.['n'] ?? 0);
  });
}
