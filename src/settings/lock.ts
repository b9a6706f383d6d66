/**
 * One process per machine: a lock file that names its holder. A holder that is gone (its process ended, its number was
 * given to another process, the machine was started anew) is no holder.
 */
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { z } from 'zod';
import { systemClock } from '../base/clock.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import { fileFailure } from './file-failure.ts';
import { ELSEWHERE } from './places.ts';

export type SettingsLock = { release(): void };

const holderSchema = z.object({
  pid: z.int().positive(),
  /** As the system tells it; '' where it does not. */
  started: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

const TAKEOVERS_MAX = 3;

/** @throws settings-locked */
export function lockSettings(path: string): SettingsLock {
  const own: Holder = { pid: process.pid, started: startOf(process.pid) };
  const draft = `${path}.${process.pid}.${process.hrtime.bigint().toString(36)}`;
  try {
    writeFileSync(draft, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
    for (let tries = 0; tries <= TAKEOVERS_MAX; tries++) {
      if (linked(draft, path)) return { release: () => release(path, own) };
      const holder = holderOf(path);
      if (holder !== undefined && isAlive(holder, path)) throw held(holder);
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
function holderOf(path: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Moved aside first, so that of two processes that find it stale only one removes it, and never a new one. */
function removeStale(path: string, aside: string, stale: Holder | undefined): void {
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

function release(path: string, own: Holder): void {
  const holder = holderOf(path);
  if (holder?.pid === own.pid && holder.started === own.started) rmSync(path, { force: true });
}

function isAlive(holder: Holder, path: string): boolean {
  if (!processExists(holder.pid)) return false;
  const started = startOf(holder.pid);
  if (started !== '' && holder.started !== '') return started === holder.started;
  const bootMs = systemClock.nowMs() - uptime() * 1000;
  const lockedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return lockedMs >= bootMs;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** Boot and clock ticks since then, on Linux. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    // The command name may hold spaces and brackets: fields count from behind its closing one; 22 is the start.
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}

function held(holder: Holder | undefined): FerryError {
  const who =
    holder === undefined ? 'another stateferry' : `another stateferry (process ${holder.pid})`;
  return new FerryError('settings-locked', `${who} is at work on this machine`, {
    hint: 'Wait until it has finished; one process at a time changes what this machine remembers.',
  });
}
