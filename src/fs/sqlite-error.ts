/** What SQLite threw, in its own numbers. */
import { closeSync, openSync } from 'node:fs';
import { openFilesLimit, systemCode } from '../base/errors.ts';

/** SQLite's own number of an error that `node:sqlite` threw. */
export function errcodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** It is something about this database. @throws open-files-limit */
export function isSqliteError(error: unknown): boolean {
  throwOpenFilesLimit(error);
  return systemCode(error) === 'ERR_SQLITE_ERROR';
}

/** SQLite says no more than that it cannot open a file. @throws open-files-limit, if nobody could */
export function throwOpenFilesLimit(error: unknown): void {
  const limit = openFilesLimit(error);
  if (limit) throw limit;
  if (((errcodeOf(error) ?? 0) & 0xff) === CANNOT_OPEN) requireFilesToOpen();
}

const CANNOT_OPEN = 14;
/** With what it lays beside a database. */
const FILES_OF_A_DATABASE = 4;

function requireFilesToOpen(): void {
  const opened: number[] = [];
  try {
    while (opened.length < FILES_OF_A_DATABASE) opened.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  } finally {
    for (const file of opened) closeSync(file);
  }
}
