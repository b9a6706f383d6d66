/** The program of the fake `systemctl`: `<state> <units> [--keep UNIT | --user VERB UNIT…]`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [state = '', units = '', ...args] = process.argv.slice(2);
const [verb = '', unit = ''] = args.filter((word) => !word.startsWith('-') && word !== '5');

const pidFile = (name: string): string => join(state, `${name}.pid`);
const enabledFile = join(state, `${unit}.enabled`);
const textOf = (name: string): string => readFileSync(join(units, name), 'utf8');

if (args[0] === '--keep') keep(args[1] ?? '');
else process.exitCode = await obey();

async function obey(): Promise<number> {
  if (verb === 'status' || verb === 'daemon-reload' || verb === 'is-system-running') return 0;
  if (unit === '' || !existsSync(join(units, unit))) {
    process.stderr.write(`Unit ${unit} could not be found.\n`);
    return verb === 'is-enabled' ? 1 : 5;
  }
  if (verb === 'is-enabled') {
    process.stdout.write(existsSync(enabledFile) ? 'enabled\n' : 'disabled\n');
    return existsSync(enabledFile) ? 0 : 1;
  }
  if (verb === 'enable') writeFileSync(enabledFile, '');
  if (verb === 'disable') rmSync(enabledFile, { force: true });
  const isNow = args.includes('--now');
  if (verb === 'stop' || verb === 'restart' || (verb === 'disable' && isNow)) await end();
  if (verb === 'start' || verb === 'restart' || (verb === 'enable' && isNow)) begin();
  if (verb === 'show') {
    const pid = keeperOf(unit);
    const active = pid === undefined ? 'inactive' : 'active';
    process.stdout.write(`ActiveState=${active}\nSubState=running\nMainPID=${pid ?? 0}\n`);
  }
  return 0;
}

function keeperOf(name: string): number | undefined {
  if (!existsSync(pidFile(name))) return undefined;
  return Number(readFileSync(pidFile(name), 'utf8'));
}

function begin(): void {
  if (keeperOf(unit) !== undefined) return;
  const keeper = spawn(process.execPath, [import.meta.filename, state, units, '--keep', unit], {
    detached: true,
    stdio: 'ignore',
  });
  writeFileSync(pidFile(unit), String(keeper.pid));
  keeper.unref();
}

async function end(): Promise<void> {
  const pid = keeperOf(unit);
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  while (existsSync(pidFile(unit))) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Read without any code of ours. */
function environmentOf(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, assignment = ''] of text.matchAll(/^Environment="?([^"\n]*)"?$/gm)) {
    const at = assignment.indexOf('=');
    if (at > 0) values[assignment.slice(0, at)] = assignment.slice(at + 1);
  }
  return values;
}

/** Runs the unit, again and again where it says so, until it is told to end. */
function keep(name: string): void {
  const text = textOf(name);
  const command = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? '';
  const environment = environmentOf(text);
  let isEnding = false;
  let child: ChildProcess;
  const run = (): void => {
    child = spawn('/bin/sh', ['-c', `exec ${command}`], { env: environment, stdio: 'ignore' });
    child.on('exit', () => {
      if (!isEnding && /^Restart=always/m.test(text)) return run();
      rmSync(pidFile(name), { force: true });
      process.exit(0);
    });
  };
  process.on('SIGTERM', () => {
    isEnding = true;
    child.kill('SIGTERM');
  });
  run();
}
