/** The program of the double; its manners are the first argument. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { lockPathOf, type DoubleAnswer, type DoubleManners } from './gateway-double.ts';

const manners = JSON.parse(process.argv.splice(2, 1)[0] ?? '{}') as DoubleManners;
await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const words = args.filter((word) => !word.startsWith('-')).join(' ');
  if (manners.diary !== undefined) {
    writeFileSync(manners.diary, `${args.join(' ')}\n`, { flag: 'a' });
  }
  const answer = manners.answers?.[words];
  if (answer !== undefined) return give(answer);
  if (/^gateway( run)?( \d+)?$/.test(words)) return runGateway(args);
  if (words === 'gateway stop') return stop(args);
  if (manners.hasSystemd === true && words === 'gateway install') return install(args);
  if (manners.hasSystemd === true && words === 'gateway uninstall') return uninstall();
  if (manners.hasSystemd === true && /^gateway (start|restart)$/.test(words)) return service(words);
  await import('../../src/gateway/sample/stand-in-main.ts');
}

function give({ stdout = '', stderr = '', exit = 0, bytes = 0, hangs }: DoubleAnswer): void {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  for (let left = bytes; left > 0; left -= 65_536) process.stdout.write('x'.repeat(65_536));
  process.exitCode = exit;
  if (hangs !== true) return;
  spawn('sleep', ['600'], { stdio: 'inherit' });
}

function stop(args: readonly string[]): void {
  const { stop = 'not-loaded', wantsForce } = manners;
  const force = wantsForce === true ? '\n  --force   Stop it all the same' : '';
  if (args.includes('--help')) {
    process.stdout.write(`Usage: openclaw gateway stop [options]\n\nOptions:\n  --json${force}\n`);
    return;
  }
  if (wantsForce === true && !args.includes('--force')) {
    process.exitCode = 1;
    process.stdout.write('{"ok":false,"error":"re-run with --force"}\n');
    return;
  }
  if (stop === 'systemctl') spawnSync('systemctl', ['--user', 'stop', unitName()]);
  const result = stop === 'not-loaded' ? 'not-loaded' : 'stopped';
  process.stdout.write(`${JSON.stringify({ ok: true, result })}\n`);
}

/** What the product of March writes, with the values of its own environment. */
function install(args: readonly string[]): void {
  if (args.includes('--help')) {
    process.stdout.write('Usage: openclaw gateway install [options]\n\nOptions:\n  --force\n');
    return;
  }
  const { HOME = '', PATH = '', TMPDIR = '' } = process.env;
  const ours = Object.entries(process.env).filter(([name]) =>
    /^OPENCLAW_(STATE_DIR|CONFIG)/.test(name),
  );
  const folder = join(HOME, '.config/systemd/user');
  mkdirSync(folder, { recursive: true });
  const unit = [
    '[Service]',
    `ExecStart=${process.argv[0]} ${process.argv[1]} gateway`,
    'Restart=always',
    ...[`HOME=${HOME}`, `PATH=${PATH}`, `TMPDIR=${TMPDIR}`].map((one) => `Environment=${one}`),
    ...ours.map(([name, value]) => `Environment=${name}=${value}`),
    '[Install]',
    'WantedBy=default.target',
    '',
  ];
  writeFileSync(join(folder, unitName()), unit.join('\n'));
  spawnSync('systemctl', ['--user', 'daemon-reload']);
  for (const verb of ['enable', 'restart']) spawnSync('systemctl', ['--user', verb, unitName()]);
  process.stdout.write('{"action":"install","ok":true,"result":"installed"}\n');
}

/** It says so too where there was none. */
function uninstall(): void {
  spawnSync('systemctl', ['--user', 'disable', '--now', unitName()]);
  rmSync(join(process.env['HOME'] ?? '', '.config/systemd/user', unitName()), { force: true });
  process.stdout.write('{"action":"uninstall","ok":true,"result":"uninstalled"}\n');
}

function service(words: string): void {
  const verb = words.slice('gateway '.length);
  const { status } = spawnSync('systemctl', ['--user', verb, unitName()]);
  const result = status === 0 ? `${verb}ed` : 'not-loaded';
  process.stdout.write(`${JSON.stringify({ ok: true, result })}\n`);
}

function unitName(): string {
  return 'openclaw-gateway.service';
}

function runGateway(args: readonly string[]): void {
  const { env } = process;
  const stateDir = env['OPENCLAW_STATE_DIR'] ?? join(env['HOME'] ?? '/', '.openclaw');
  const configPath = env['OPENCLAW_CONFIG_PATH'] ?? join(stateDir, 'openclaw.json');
  const at = args.indexOf('--port');
  const text = existsSync(configPath) ? readFileSync(configPath, 'utf8') : '';
  const port = Number(at < 0 ? /port['"]?: (\d+)/.exec(text)?.[1] : args[at + 1]);
  const path = lockPathOf(configPath, env['TMPDIR'] ?? '/tmp', process.getuid?.() ?? 0);
  process.on('SIGTERM', () => {
    if (manners.ignoresTerm === true) return;
    rmSync(path, { force: true });
    process.exit(0);
  });
  // As the products do: the lock is there, and whole, before anybody can connect.
  if (manners.lock !== false) writeLock(path, configPath);
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end('<html><head><title>OpenClaw Control</title></head></html>');
  });
  server.listen(port, '127.0.0.1');
}

function writeLock(path: string, configPath: string): void {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const startTime = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify({ pid: process.pid, configPath, startTime }));
  renameSync(`${path}.new`, path);
}
