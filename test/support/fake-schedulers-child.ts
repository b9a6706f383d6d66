/** The programs of the fake schedulers: `<state> <home> PROGRAM WORD…`, or `--fire` for what a timer does. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { noonZone } from './noon-zone.ts';

const [state = '', home = '', program = '', ...words] = process.argv.slice(2);
const isOfUser = words.includes('--user');
const units = isOfUser ? join(home, '.config/systemd/user') : '/etc/systemd/system';
const crontabFile = join(state, 'crontab');
const IDLE = new Int32Array(new SharedArrayBuffer(4));
const loaded = (name: string): string => join(state, 'loaded', name);
const enabled = (name: string): string => join(state, 'enabled', name);
const active = (name: string): string => join(state, 'active', name);
const failed = (name: string): string => join(state, 'failed', name);
const wanted = (name: string): string => join(units, 'timers.target.wants', name);
/** When timers that make up for what they missed last fired. */
const STAMPS = join(home, '.local/share/systemd/timers/stamp');
/** What a manager or a daemon gives to everything that it starts. */
const BARE = {
  HOME: home,
  LOGNAME: 'somebody',
  USER: 'somebody',
  SHELL: '/bin/sh',
  TZ: noonZone(),
};

if (program !== '--fire') {
  appendFileSync(join(state, 'calls'), `${[program, ...words].join(' ')}\n`);
}
const programs = new Map([
  ['systemctl', systemctl],
  ['loginctl', loginctl],
  ['crontab', crontab],
  ['launchctl', launchctl],
  ['--fire', fire],
]);
process.exitCode = programs.get(program)?.() ?? 127;

function systemctl(): number {
  if (!isOfUser && !existsSync(join(state, 'booted'))) {
    return refuse('Failed to connect to bus: Host is down', 1);
  }
  if (isOfUser && existsSync(join(state, 'logged-out'))) {
    return refuse('Failed to connect to bus: No such file or directory', 1);
  }
  const [verb = '', unit = '', ...more] = words.filter((word) => !word.startsWith('-'));
  switch (verb) {
    case 'show':
      // As it was when the manager started: no variable of a shell changes it.
      process.stdout.write(
        `${units}.control /run/systemd/transient ${units} /etc/xdg/systemd/user\n`,
      );
      return 0;
    case 'daemon-reload':
      for (const name of readdirSync(join(state, 'loaded'))) rmSync(loaded(name));
      for (const name of existsSync(units) ? readdirSync(units) : []) {
        if (/\.(service|timer)$/.test(name)) copyFileSync(join(units, name), loaded(name));
      }
      return 0;
    case 'start':
      if (!existsSync(loaded(unit))) return notFound(verb, unit);
      // A test wants to look at this moment.
      while (existsSync(join(state, 'hold'))) Atomics.wait(IDLE, 0, 0, 20);
      return started(unit);
    case 'stop':
      return existsSync(loaded(unit)) ? 0 : refuse(`Failed to stop ${unit}: Unit not loaded.`, 5);
    case 'is-active':
      return existsSync(active(unit)) ? 0 : 3;
    case 'enable':
      if (!existsSync(loaded(unit))) return notFound(verb, unit);
      writeFileSync(enabled(unit), '');
      if (!existsSync(wanted(unit))) linkTo(join(units, unit), wanted(unit));
      return 0;
    case 'restart':
      if (!existsSync(loaded(unit))) return notFound(verb, unit);
      writeFileSync(active(unit), '');
      if (isOfUser) {
        mkdirSync(dirname(STAMPS), { recursive: true });
        writeFileSync(`${STAMPS}-${unit}`, '');
      }
      return 0;
    case 'disable':
      if (!existsSync(join(units, unit)))
        return refuse(`Failed to disable unit: Unit file ${unit} does not exist.`, 1);
      rmSync(enabled(unit), { force: true });
      if (existsSync(wanted(unit))) rmSync(dirname(wanted(unit)), { recursive: true });
      if (words.includes('--now')) rmSync(active(unit), { force: true });
      return 0;
    case 'reset-failed':
      return resetFailed([unit, ...more]);
    default:
      return refuse(`Unknown command verb ${verb}.`, 1);
  }
}

function linkTo(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** One that failed is remembered, with its file or without. */
function resetFailed(names: readonly string[]): number {
  let exit = 0;
  for (const name of names) {
    if (!existsSync(failed(name)) && !existsSync(loaded(name))) {
      exit = refuse(`Failed to reset failed state of unit ${name}: Unit ${name} not loaded.`, 1);
    }
    rmSync(failed(name), { force: true });
  }
  return exit;
}

function notFound(verb: string, unit: string): number {
  return refuse(`Failed to ${verb} ${unit}: Unit ${unit} not found.`, 5);
}

/** A service that runs once: the start waits for its end. */
function started(unit: string): number {
  const text = readFileSync(loaded(unit), 'utf8');
  const values = (name: string): string[] =>
    [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const environment = values('Environment').flatMap((line) => unitWords(line, false));
  const line = values('ExecStart')[0] ?? '';
  const [, ...args] = unitWords(line, true);
  // Only in what follows it is a doubled dollar a single one.
  const [node = ''] = unitWords(line, false);
  if (/["'\\]/.test(node)) {
    const why = `Failed to start ${unit}: Unit ${unit} has a bad unit file setting.`;
    return refuse(`${why}\nSee user logs and 'systemctl --user status ${unit}' for details.`, 1);
  }
  const pairs = environment.map((one): [string, string] => [
    one.slice(0, one.indexOf('=')),
    one.slice(one.indexOf('=') + 1),
  ]);
  const env = { ...BARE, PATH: '/usr/bin:/bin', ...Object.fromEntries(pairs) };
  const uid = Number(values('User')[0] ?? process.getuid?.());
  const ran = spawnSync(node, args, { env, cwd: home, stdio: 'ignore', uid, gid: uid });
  if (ran.status === 0 || values('SuccessExitStatus').includes(String(ran.status))) return 0;
  writeFileSync(failed(unit), '');
  const why = `Job for ${unit} failed because the control process exited with error code.`;
  return refuse(`${why}\nSee "systemctl --user status ${unit}" and "journalctl …" for details.`, 1);
}

/** As systemd.syntax(7) tells it. */
function unitWords(line: string, isCommand: boolean): string[] {
  const all = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)];
  return all.map(([, quoted, bare = '']) => {
    const text = (quoted ?? bare).replaceAll(/\\(.)/g, '$1').replaceAll('%%', '%');
    return isCommand ? text.replaceAll('$$', '$') : text;
  });
}

function loginctl(): number {
  process.stdout.write('no\n');
  return 0;
}

function crontab(): number {
  if (words[0] === '-l') {
    if (existsSync(join(state, 'unreadable'))) {
      return refuse('crontabs/somebody/: fopen: Input/output error', 1);
    }
    if (!existsSync(crontabFile)) return refuse('no crontab for somebody', 1);
    process.stdout.write(readFileSync(crontabFile));
    return 0;
  }
  if (words[0] === '-r') {
    rmSync(crontabFile);
    return 0;
  }
  const text = readFileSync(0, 'utf8');
  if (!text.endsWith('\n')) return refuse('new crontab file is missing newline before EOF', 1);
  writeFileSync(crontabFile, text);
  return 0;
}

function launchctl(): number {
  const [verb, ...rest] = words;
  const label = basename(rest.at(-1) ?? '', '.plist');
  if (verb === 'version' || verb === 'enable') return 0;
  if (verb === 'print') return existsSync(enabled(label)) ? 0 : 113;
  if (verb === 'bootstrap') {
    if (existsSync(enabled(label))) return refuse('Bootstrap failed: 5: Input/output error', 5);
    copyFileSync(rest.at(-1) ?? '', enabled(label));
    return 0;
  }
  if (verb !== 'bootout') return refuse(`Unrecognized subcommand: ${verb}`, 64);
  if (!existsSync(enabled(label))) return refuse('Boot-out failed: 3: No such process', 3);
  rmSync(enabled(label));
  return 0;
}

/** The scheduler that has something starts it. */
function fire(): number {
  const [timer] = readdirSync(join(state, 'active'));
  if (timer !== undefined) return started(timer.replace('.timer', '.service'));
  const [agent] = readdirSync(join(state, 'enabled'));
  if (agent !== undefined) return firedAgent(readFileSync(enabled(agent), 'utf8'));
  const command = /^\d+ \* \* \* \* (.* schedule run .*)$/m.exec(
    readFileSync(crontabFile, 'utf8'),
  )?.[1];
  if (command === undefined) return refuse('nothing of ours is in it', 1);
  const env = { ...BARE, PATH: '/usr/bin:/bin' };
  const shell = ['-c', command.replaceAll('\\%', '%')];
  return spawnSync('/bin/sh', shell, { env, cwd: home, stdio: 'inherit' }).status ?? 1;
}

function firedAgent(plist: string): number {
  const strings = (name: string): string[] => {
    const block = new RegExp(`<key>${name}</key>\\s*<(array|dict)>([\\s\\S]*?)</\\1>`).exec(plist);
    return [...(block?.[2] ?? '').matchAll(/<(key|string)>(.*?)<\/\1>/g)].map(([, , text = '']) =>
      text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    );
  };
  const [node = '', ...args] = strings('ProgramArguments');
  const all = strings('EnvironmentVariables');
  const pairs = all.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name, all[at + 1] ?? '']] : [],
  );
  const env = { ...BARE, PATH: '/usr/bin:/bin:/usr/sbin:/sbin', ...Object.fromEntries(pairs) };
  return spawnSync(node, args, { env, cwd: '/', stdio: 'ignore' }).status ?? 1;
}

function refuse(text: string, exit: number): number {
  process.stderr.write(`${text}\n`);
  return exit;
}
