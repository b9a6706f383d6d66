/**
 * A real systemd for tests, with managers of users: in name spaces of its own, on a copy of this machine's files that
 * is thrown away. It ends with the process that started it. Needs root: the ring `systemd`.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runProcess, type RunResult } from '../../src/process/run.ts';
import { until } from './until.ts';

export type SystemdUser = { readonly name: string; readonly uid: number; readonly home: string };

export type RealSystemd = {
  /** In it, as that user (by number: root has none), in their home. */
  run(user: SystemdUser | undefined, command: readonly string[], env?: Env): Promise<RunResult>;
  stop(): Promise<void>;
};

type Env = Readonly<Record<string, string>>;

/** Why it cannot run here; undefined: it can. */
export function systemdAbsence(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const programs = ['unshare', 'nsenter', 'setpriv', 'dbus-daemon', 'ip'];
  const lacking = programs.filter((name) => spawnSync('which', [name]).status !== 0);
  if (!existsSync('/lib/systemd/systemd')) lacking.unshift('systemd');
  if (lacking.length > 0) return `lacks ${lacking.join(', ')}`;
  return cgroupMount() === undefined ? 'no cgroup2 is mounted' : undefined;
}

/**
 * @param folder an empty one
 * @param shown folders that are the real ones inside; everything else is a copy
 */
export async function startSystemd(
  folder: string,
  users: readonly SystemdUser[],
  shown: readonly string[],
): Promise<RealSystemd | { readonly absence: string }> {
  const group = join(cgroupMount() ?? '', `stateferry-test-${process.pid}`);
  try {
    mkdirSync(group);
  } catch (error) {
    return { absence: `no cgroup can be made here: ${String(error)}` };
  }
  const lines = users.map(({ name, uid, home }) => `${name}:*:${uid}:${uid}::${home}:/bin/sh`);
  const child = spawnInside(group, [folder, lines.join('\n'), ...shown]);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await until(() => removeGroups(group));
  };
  try {
    await until(() => child.exitCode !== null || firstProcess(child) !== undefined);
    const machine = { run: runIn(child), stop };
    await until(() => isUp(machine, users, child));
    return machine;
  } catch (error) {
    await stop();
    return { absence: `systemd does not start here: ${String(error)}` };
  }
}

/** Whatever ends us ends it. */
function spawnInside(group: string, args: readonly string[]): ChildProcess {
  const spaces = ['--pid', '--mount', '--cgroup', '--uts', '--ipc', '--net'];
  const inGroup = 'echo $$ >"$0/cgroup.procs" && exec "$@"';
  const script = join(import.meta.dirname, 'real-systemd.sh');
  const words = ['unshare', '--fork', '--kill-child', ...spaces, 'sh', script, ...args];
  return spawn('setpriv', ['--pdeathsig', 'KILL', 'sh', '-c', inGroup, group, ...words], {
    stdio: 'ignore',
  });
}

/** Of what unshare started, which is process 1 in there. */
function firstProcess({ pid }: ChildProcess): number | undefined {
  const path = `/proc/${pid}/task/${pid}/children`;
  const [first] = existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ') : [];
  return first === undefined || first === '' ? undefined : Number(first);
}

const COMMAND_TIMEOUT_MS = 120_000;

const runIn =
  (child: ChildProcess): RealSystemd['run'] =>
  (user, command, env = {}) => {
    const ids = user ? ['--reuid', `${user.uid}`, '--regid', `${user.uid}`, '--clear-groups'] : [];
    const base = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: user?.home ?? '/root',
      ...(user && { USER: user.name, XDG_RUNTIME_DIR: `/run/user/${user.uid}` }),
    };
    const variables = Object.entries({ ...base, ...env }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const spaces = ['--mount', '--pid', '--cgroup', '--uts', '--ipc', '--net', '--root'];
    const at = ['nsenter', '--target', `${firstProcess(child)}`, ...spaces];
    const inHome = ['env', '-i', ...variables, 'sh', '-c', 'cd "$HOME" && exec "$@"', 'sh'];
    const [program = '', ...args] = [...at, 'setpriv', ...ids, ...inHome, ...command];
    return runProcess(program, args, {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      timeoutMs: COMMAND_TIMEOUT_MS,
      signal: new AbortController().signal,
    });
  };

/** The manager of the system, and those of all users. */
async function isUp(
  { run }: Pick<RealSystemd, 'run'>,
  users: readonly SystemdUser[],
  child: ChildProcess,
): Promise<boolean> {
  if (child.exitCode !== null) throw new Error('its preparations ended early');
  const ask = async (user: SystemdUser | undefined): Promise<boolean> => {
    const words = ['systemctl', ...(user ? ['--user'] : []), 'is-system-running'];
    return (await run(user, words)).stdout.trim() === 'running';
  };
  for (const one of [undefined, ...users]) if (!(await ask(one))) return false;
  return true;
}

/** Where processes are put into groups of the second kind, which systemd wants. */
function cgroupMount(): string | undefined {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4];
}

/** Answers false while the kernel still holds one. */
function removeGroups(group: string): boolean {
  try {
    for (const name of readdirSync(group, { recursive: true, encoding: 'utf8' }).toReversed()) {
      const path = join(group, name);
      if (dirname(path) !== path && isGroup(path)) rmdirSync(path);
    }
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group);
  }
}

const isGroup = (path: string): boolean => existsSync(join(path, 'cgroup.procs'));
