/**
 * One process per machine: a lock file that names its holder. A holder that is gone (its process ended, its number was
 * given to another process, the machine was started anew) is no holder.
 */
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { FerryError, systemCode } from '../base/errors.ts';
import {
  isAlive,
  markOfThisProcess,
  processMarkSchema,
  type ProcessMark,
} from '../fs/living-process.ts';
import { fileFailure } from './file-failure.ts';
import { ELSEWHERE } from './places.ts';

export type SettingsLock = { release(): void };

const TAKEOVERS_MAX = 3;

/** @throws settings-locked */
export function lockSettings(path: string): SettingsLock {
  const own = markOfThisProcess();
  const draft = `${path}.${process.pid}.${process.hrtime.bigint().toString(36)}`;
  try {
    writeFileSync(draft, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
    for (let tries = 0; tries <= TAKEOVERS_MAX; tries++) {
      if (linked(draft, path)) return { release: () => release(path, own) };
      const holder = holderOf(path);
      if (holder !== undefined && isAlive(holder, lockedMs(path))) throw held(holder);
      removeStale(path, `${draft}.old`, holder);
    }
    throw held(holderOf(path));
  } catch (error) {
    throw fileFailure(`cannot lock the settings (${path})`, error, ELSEWHERE);
  } finally {
    rmSync(draft, { force: true });
  }
}

function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when it is gone, or was torn by a crash while it was written. */
function holderOf(path: string): ProcessMark | undefined {
  try {
    return processMarkSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Moved aside first, so that of two processes that find it stale only one removes it, and never a new one. */
function removeStale(path: string, aside: string, stale: ProcessMark | undefined): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const taken = holderOf(aside);
  const isStill = taken?.pid === stale?.pid && taken?.started === stale?.started;
  if (!isStill) linked(aside, path);
  rmSync(aside, { force: true });
}

function release(path: string, own: ProcessMark): void {
  const holder = holderOf(path);
  if (holder?.pid === own.pid && holder.started === own.started) rmSync(path, { force: true });
}

const lockedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function held(holder: ProcessMark | undefined): FerryError {
  const who =
    holder === undefined ? 'another stateferry' : `another stateferry (process ${holder.pid})`;
  return new FerryError('settings-locked', `${who} is at work on this machine`, {
    hint: 'Wait until it has finished; one process at a time changes what this machine remembers.',
  });
}
