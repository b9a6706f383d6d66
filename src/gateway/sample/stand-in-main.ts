/**
 * The stand-in's program: answers the few commands that a migration asks, from the files, in the products' own shapes.
 * It reads the config by itself, so that it cannot repeat a mistake of ours, and it finds what the real doctor finds:
 * transcripts that are not where the index says.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import JSON5 from 'json5';
import { STAND_IN_LABEL } from './stand-in.ts';

const VERSION = '2026.3.2';
const { env } = process;
const home = env['HOME'] ?? '/';
const stateDir = env['OPENCLAW_STATE_DIR'] ?? join(home, '.openclaw');
const configPath = env['OPENCLAW_CONFIG_PATH'] ?? join(stateDir, 'openclaw.json');

type Json = { [key: string]: unknown };
type Agent = { id: string; workspace: string; agentDir: string; isDefault: boolean };

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const sayJson = (value: unknown): boolean => say(JSON.stringify(value, null, 2));
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const expand = (path: string): string => (/^~(\/|$)/.test(path) ? home + path.slice(1) : path);

const textOf = (value: unknown, fallback: string): string =>
  typeof value === 'string' ? value : fallback;

function readConfig(path = configPath): unknown {
  return withIncludes(JSON5.parse<unknown>(readFileSync(path, 'utf8')), path);
}

function withIncludes(value: unknown, file: string): unknown {
  if (Array.isArray(value)) return value.map((item) => withIncludes(item, file));
  if (!isObject(value)) return value;
  const { $include, ...rest } = value;
  const own = Object.fromEntries(
    Object.entries(rest).map(([key, item]) => [key, withIncludes(item, file)]),
  );
  if (typeof $include !== 'string') return own;
  const included = readConfig(resolve(dirname(file), $include));
  return { ...(isObject(included) ? included : {}), ...own };
}

function agents(): Agent[] {
  const config = readConfig();
  const block = isObject(config) && isObject(config['agents']) ? config['agents'] : {};
  const defaults = isObject(block['defaults']) ? block['defaults'] : {};
  const list = Array.isArray(block['list']) ? block['list'].filter(isObject) : [{ id: 'main' }];
  return list.map((entry: Json, index) => {
    const id = textOf(entry['id'], 'main');
    const fallback =
      index === 0
        ? textOf(defaults['workspace'], join(stateDir, 'workspace'))
        : join(stateDir, `workspace-${id}`);
    return {
      id,
      workspace: expand(textOf(entry['workspace'], fallback)),
      agentDir: expand(textOf(entry['agentDir'], join(stateDir, 'agents', id, 'agent'))),
      isDefault: index === 0,
    };
  });
}

/** What is wrong with the state, in the words of a doctor. */
function integrity(): string[] {
  if (!existsSync(stateDir)) return [`CRITICAL: state directory missing (${stateDir}).`];
  return agents().flatMap((agent) => {
    const found = existsSync(agent.workspace)
      ? []
      : [`Workspace of ${agent.id} missing (${agent.workspace}).`];
    const folder = join(stateDir, 'agents', agent.id, 'sessions');
    const index: unknown = existsSync(join(folder, 'sessions.json'))
      ? JSON.parse(readFileSync(join(folder, 'sessions.json'), 'utf8'))
      : {};
    const files = Object.values(isObject(index) ? index : {})
      .filter(isObject)
      .map((entry) =>
        textOf(entry['sessionFile'], join(folder, `${textOf(entry['sessionId'], '')}.jsonl`)),
      );
    const missing = files.filter((file) => !existsSync(file));
    if (missing.length > 0)
      found.push(`${missing.length}/${files.length} recent sessions are missing transcripts.`);
    const known = new Set(files.map((file) => resolve(file)));
    const present = existsSync(folder)
      ? readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
      : [];
    const orphans = present.filter((name) => !known.has(join(folder, name)));
    if (orphans.length > 0)
      found.push(`Found ${orphans.length} orphan transcript file(s) in ${folder}.`);
    return found;
  });
}

function configIssues(): { path: string; message: string }[] {
  try {
    const text = JSON.stringify(readConfig());
    const dotenv = existsSync(join(stateDir, '.env'))
      ? readFileSync(join(stateDir, '.env'), 'utf8')
      : '';
    const names = [...text.matchAll(/\$\{([A-Z_][A-Z0-9_]*)\}/g)].map((match) => match[1] ?? '');
    return names
      .filter((name) => env[name] === undefined && !new RegExp(`^${name}=`, 'm').test(dotenv))
      .map((name) => ({ path: '', message: `Missing env var "${name}"` }));
  } catch (error) {
    return [{ path: '', message: String(error) }];
  }
}

function box(title: string, lines: readonly string[]): void {
  const width = Math.max(title.length + 3, ...lines.map((line) => line.length + 4));
  say(`◇  ${title} ${'─'.repeat(width - title.length - 1)}╮`);
  for (const line of lines) say(`│  ${`- ${line}`.padEnd(width)}│`);
  say(`├${'─'.repeat(width + 2)}╯`);
}

function doctor(): void {
  const found = integrity();
  say(`┌  OpenClaw doctor (${STAND_IN_LABEL})`);
  if (found.length > 0) box('State integrity', found);
  const issues = configIssues();
  if (issues.length > 0)
    box(
      'Config',
      issues.map((issue) => issue.message),
    );
  say('└  Doctor complete.');
}

function port(): number {
  const config = readConfig();
  const gateway = isObject(config) && isObject(config['gateway']) ? config['gateway'] : {};
  return Number(env['OPENCLAW_GATEWAY_PORT'] ?? gateway['port'] ?? 18_789);
}

async function gatewayStatus(): Promise<void> {
  const number = port();
  const busy = await new Promise<boolean>((settle) => {
    const socket = connect({ host: '127.0.0.1', port: number });
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
    socket.once('connect', () => socket.destroy());
  });
  const detail = STAND_IN_LABEL;
  sayJson({
    service: { label: 'stand-in', loaded: false, runtime: { status: 'unknown', detail } },
    config: {
      cli: { path: configPath, exists: existsSync(configPath), valid: configIssues().length === 0 },
    },
    port: { port: number, status: busy ? 'busy' : 'free', listeners: [] },
    rpc: { ok: false },
  });
}

const HELP = `Usage: openclaw [options] [command]   (${STAND_IN_LABEL})

Commands:
  agents *     agents list --json
  config *     config validate --json
  doctor       doctor --non-interactive
  gateway *    gateway status|stop|restart --json
  sessions     sessions --all-agents --json
`;

function sessions(): void {
  const all = agents().flatMap((agent) => {
    const path = join(stateDir, 'agents', agent.id, 'sessions', 'sessions.json');
    const index: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
    return Object.keys(isObject(index) ? index : {}).map((key) => ({ key, agentId: agent.id }));
  });
  sayJson({ count: all.length, sessions: all });
}

async function main(args: readonly string[]): Promise<number> {
  const words = args.filter((word) => !word.startsWith('-')).join(' ');
  if (args.includes('--version')) say(`${VERSION} (${STAND_IN_LABEL})`);
  else if (words === '' || args.includes('--help')) say(HELP);
  else if (words === 'agents list') sayJson(agents());
  else if (words === 'config validate') {
    const issues = configIssues();
    sayJson({ valid: issues.length === 0, issues });
    return issues.length === 0 ? 0 : 1;
  } else if (words === 'doctor') doctor();
  else if (words === 'sessions') sessions();
  else if (words === 'gateway status') await gatewayStatus();
  else if (/^gateway (stop|restart|start)$/.test(words)) {
    // Like the products where there is no service manager: nothing happens, and they say ok.
    sayJson({ ok: true, result: 'not-loaded', hints: [STAND_IN_LABEL] });
  } else {
    process.stderr.write(`error: unknown command '${words}'\n`);
    return 1;
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
