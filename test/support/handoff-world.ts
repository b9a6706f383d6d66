/** An old machine with a gateway, a service and a repository; new machines that have nothing. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { makeMachine, succeeded, type Answer, type Machine } from './cli-run.ts';
import { lockPathOf, writeGatewayDouble } from './gateway-double.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

export const UNIT = 'openclaw-gateway.service';

export type HandoffWorld = {
  readonly location: string;
  readonly old: Machine;
  readonly stateDir: string;
  /** As a person would, with the secret and the credentials. */
  run(...args: string[]): Promise<Answer>;
  /** A machine with the product's command and nothing else. */
  newcomer(name: string): Newcomer;
  startGateway(): Promise<void>;
  isRunning(): boolean;
  /** A handoff whose process ends the hard way while it raises the fence. */
  killedAtFence(): Promise<void>;
  /** What systemctl was asked, one line each. */
  systemctlDiary(): string;
  readonly dropIn: string;
  /** Ends the gateways that it started. */
  close(): void;
};

export type Newcomer = {
  readonly machine: Machine;
  run(...args: string[]): Promise<Answer>;
  /** With a clock that is so far ahead. */
  runAt(offsetMs: number, ...args: string[]): Promise<Answer>;
  /** With the secret and the credentials, as one of the repository's own machines. */
  runAsMember(...args: string[]): Promise<Answer>;
};

export type PlaceOfWorld = {
  readonly location: string;
  readonly credentials: Readonly<Record<string, string>>;
};

export async function handoffWorld(
  folder: string,
  name: string,
  { location, credentials }: PlaceOfWorld,
): Promise<HandoffWorld> {
  const old = makeMachine(folder, name);
  const port = await freePort();
  const sample = writeSample({ home: old.home, nodePath: process.execPath, port });
  sample.close();
  const bin = join(old.folder, 'bin');
  const command = writeGatewayDouble(bin, { stop: 'not-loaded' });
  const diary = join(old.folder, 'systemctl-diary');
  const deadly = join(old.folder, 'systemctl-kills');
  writeSystemctl(bin, diary, deadly);
  const units = join(old.home, '.config/systemd/user');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, UNIT), `[Service]\nExecStart=${command} gateway run\n`);
  const path = `${bin}:/usr/bin:/bin`;
  const secret = ['--passphrase-file', old.passphraseFile];
  const variables = { PATH: path, ...credentials };
  const run = (...args: string[]): Promise<Answer> => old.runWith(variables, ...args, ...secret);
  succeeded(await run('init', location, '--kit', join(old.folder, 'kit')));
  const children: ChildProcess[] = [];
  const lock = lockPathOf(sample.configPath, old.folder, process.getuid?.() ?? 0);
  return {
    location,
    old,
    stateDir: sample.stateDir,
    run,
    newcomer: (newName) => newcomer(folder, newName, credentials),
    startGateway: async () => {
      const env = { HOME: old.home, TMPDIR: old.folder, PATH: path };
      children.push(spawn(command, ['gateway', 'run'], { env, stdio: 'ignore' }));
      await until(() => existsSync(lock));
    },
    isRunning: () => existsSync(lock),
    killedAtFence: async () => {
      writeFileSync(deadly, '');
      assert.equal((await run('handoff', '--yes')).exit, null);
      rmSync(deadly);
    },
    systemctlDiary: () => (existsSync(diary) ? readFileSync(diary, 'utf8') : ''),
    dropIn: join(units, `${UNIT}.d`, 'zz-stateferry-fence.conf'),
    close: () => {
      for (const child of children) child.kill('SIGKILL');
      killLocked(lock);
    },
  };
}

function newcomer(
  folder: string,
  name: string,
  credentials: PlaceOfWorld['credentials'],
): Newcomer {
  const machine = makeMachine(folder, name);
  const bin = join(machine.folder, 'bin');
  writeGatewayDouble(bin);
  const variables = { PATH: `${bin}:/usr/bin:/bin` };
  const secret = ['--passphrase-file', machine.passphraseFile];
  return {
    machine,
    run: (...args) => machine.runWith(variables, ...args),
    runAt: (offsetMs, ...args) =>
      machine.runWith({ ...variables, NODE_OPTIONS: clockOption(machine, offsetMs) }, ...args),
    runAsMember: (...args) => machine.runWith({ ...variables, ...credentials }, ...args, ...secret),
  };
}

/** What the process takes for the time, before anything else is loaded. */
function clockOption({ folder }: Machine, offsetMs: number): string {
  const file = join(folder, `clock${offsetMs}.mjs`);
  writeFileSync(file, `const now = Date.now; Date.now = () => now() + ${offsetMs};\n`);
  return `--import=${file}`;
}

/** One that was started again by the command itself. */
function killLocked(lock: string): void {
  if (!existsSync(lock)) return;
  const { pid } = JSON.parse(readFileSync(lock, 'utf8')) as { pid: number };
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Says that every unit is enabled, and writes down what it was asked.
 * @param deadly while it is there, a reload kills who asks for it
 */
function writeSystemctl(bin: string, diary: string, deadly: string): void {
  const script = [
    '#!/bin/sh',
    `echo "$*" >> '${diary}'`,
    `case "$*" in *daemon-reload*) [ ! -e '${deadly}' ] || kill -9 "$PPID";; esac`,
    'case "$*" in *is-enabled*) echo enabled;; esac',
    '',
  ];
  writeFileSync(join(bin, 'systemctl'), script.join('\n'), { mode: 0o755 });
}

/** The ticket in what handoff printed: all of stdout. */
export function ticketOf(answer: Answer): string {
  const ticket = succeeded(answer).stdout.trim();
  assert.match(ticket, /^sft1[0-9A-Za-z]+$/);
  return ticket;
}
