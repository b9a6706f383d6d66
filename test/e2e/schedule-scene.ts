/** A machine with schedulers that are not real, for the command line. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSchedulers, type FakeSchedulers } from '../support/fake-schedulers.ts';
import { nobodyAbsence } from '../support/nobody.ts';
import { noonZone } from '../support/noon-zone.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { writeSmallInstall } from '../support/small-install.ts';
import { asRecord, MAIN, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import type { Answer, Machine } from '../support/cli-run.ts';

export const folder = makeFolder();
chmodSync(folder.path, 0o755);
/** Root's timers are the system's, which tests leave alone. */
const isRoot = process.getuid?.() === 0;
export const OWNER = isRoot ? { uid: 14_001, gid: 14_001 } : undefined;
export const skip = nobodyAbsence() ?? false;

export type Scene = {
  readonly machine: Machine;
  readonly repository: string;
  readonly schedulers: FakeSchedulers;
  run(...args: string[]): Promise<Answer>;
  /** For a test that ends it before it is done. */
  start(...args: string[]): ChildProcess;
  settings(): Record<string, unknown>;
  change(edit: (schedule: Record<string, unknown>) => void): void;
};

/** A machine that has joined and pushed nothing yet; its settings lie where a timer finds them by itself. */
export async function makeScene(
  name: string,
  there: Parameters<typeof makeSchedulers>[2],
  location?: string,
  variables: Record<string, string> = {},
): Promise<Scene> {
  const machine = makeMachine(folder.path, name, OWNER);
  writeSmallInstall(machine.home, CLOSED_PORT);
  const schedulers = makeSchedulers(machine.folder, machine.home, there);
  if (OWNER) spawnSync('chown', ['-R', '14001:14001', machine.folder]);
  const settingsFile = join(machine.home, '.config/stateferry/settings.json');
  const repository = location ?? join(machine.folder, 'repository');
  const env = {
    PATH: `${schedulers.binDir}:/usr/bin:/bin`,
    STATEFERRY_HOME: '',
    TZ: noonZone(),
    ...variables,
  };
  const run = (...args: string[]): Promise<Answer> => machine.runWith(env, ...args);
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [MAIN, ...args], {
      env: { HOME: machine.home, TMPDIR: machine.folder, ...env },
      cwd: machine.folder,
      stdio: 'ignore',
      ...OWNER,
    });
  const kit = join(machine.folder, 'kit');
  succeeded(
    await run('init', repository, '--kit', kit, '--passphrase-file', machine.passphraseFile),
  );
  const settings = (): Record<string, unknown> =>
    asRecord(JSON.parse(readFileSync(settingsFile, 'utf8')));
  return {
    machine,
    repository,
    schedulers,
    run,
    start,
    settings,
    change: (edit) => {
      const all = settings();
      const schedule = asRecord(all['schedule']);
      edit(schedule);
      writeFileSync(settingsFile, JSON.stringify({ ...all, schedule }));
    },
  };
}

export const snapshotsIn = (repository: string): number => {
  const path = join(repository, 'snapshots');
  if (!existsSync(path)) return 0;
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/[0-9a-f]{32}$/.test(name),
  ).length;
};

export const yesterday = (): string => new Date(Date.now() - 30 * 3_600_000).toISOString();
export const longAgo = (): string => new Date(Date.now() - 80 * 3_600_000).toISOString();
