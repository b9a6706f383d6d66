/**
 * A machine's schedulers for tests: `systemctl`, `loginctl`, `crontab` and `launchctl` as programs on a PATH. They keep
 * what they are told, refuse what the real ones refuse, and start what a timer starts in an environment of their own.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess, type RunResult } from '../../src/process/run.ts';

export type SchedulerName = 'systemd' | 'cron' | 'launchd';

export type FakeSchedulers = {
  /** In front of a PATH, or all of it. */
  readonly binDir: string;
  /** Every call, one line each. */
  calls(): string[];
  crontab(): string;
  /** Somebody's own lines. */
  setCrontab(text: string): void;
  /** From now on nobody can list the crontab, although it may be written. */
  hideCrontab(): { show(): void };
  enabled(): string[];
  /** Services whose last run did not go well. */
  failed(): string[];
  /** There is a manager of the whole system too, which reads /etc/systemd/system. */
  boot(): void;
  /** The user’s own manager ends with the user’s last session. */
  logOut(): { logIn(): void };
  /** Until it is released, a service that is started does not begin. */
  hold(): { release(): void };
  /** What the timer does when its time has come; undefined where none is switched on. */
  fire(): Promise<RunResult | undefined>;
};

const PROGRAMS: Readonly<Record<SchedulerName, readonly string[]>> = {
  systemd: ['systemctl', 'loginctl'],
  cron: ['crontab'],
  launchd: ['launchctl'],
};

/** @param home whose unit files and agents they read */
export function makeSchedulers(
  folder: string,
  home: string,
  there: readonly SchedulerName[],
): FakeSchedulers {
  const binDir = join(folder, 'schedulers');
  const state = join(folder, 'scheduler-state');
  for (const path of [
    binDir,
    ...['loaded', 'enabled', 'active', 'failed'].map((one) => join(state, one)),
  ]) {
    mkdirSync(path, { recursive: true });
  }
  const child = join(import.meta.dirname, 'fake-schedulers-child.ts');
  const isThere = new Set(there.flatMap((name) => PROGRAMS[name]));
  for (const program of Object.values(PROGRAMS).flat()) {
    // This machine's own must never be reached: they hold the timers of whoever runs the tests.
    const line = isThere.has(program)
      ? `exec '${process.execPath}' '${child}' '${state}' '${home}' ${program} "$@"`
      : 'exit 127';
    writeFileSync(join(binDir, program), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
  const crontabFile = join(state, 'crontab');
  const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  return {
    binDir,
    calls: () => textOf(join(state, 'calls')).trimEnd().split('\n'),
    crontab: () => textOf(crontabFile),
    setCrontab: (text) => writeFileSync(crontabFile, text),
    hideCrontab: () => {
      const file = join(state, 'unreadable');
      writeFileSync(file, '');
      return { show: () => rmSync(file) };
    },
    enabled: () => readdirSync(join(state, 'enabled')),
    failed: () => readdirSync(join(state, 'failed')),
    logOut: () => {
      const file = join(state, 'logged-out');
      writeFileSync(file, '');
      return { logIn: () => rmSync(file) };
    },
    boot: () => writeFileSync(join(state, 'booted'), ''),
    hold: () => {
      writeFileSync(join(state, 'hold'), '');
      return { release: () => rmSync(join(state, 'hold')) };
    },
    fire: async () => {
      const isOn = readdirSync(join(state, 'enabled')).length > 0 || existsSync(crontabFile);
      if (!isOn) return undefined;
      return runProcess(process.execPath, [child, state, home, '--fire'], {
        env: { PATH: '/usr/bin:/bin' },
        timeoutMs: 120_000,
        signal: new AbortController().signal,
      });
    },
  };
}
