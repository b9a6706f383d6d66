/**
 * The product's own command. Always with `<BRAND>_STATE_DIR`, `<BRAND>_CONFIG_PATH` and HOME set (an old config path
 * would win otherwise), with the caller's PATH and Node, stdin closed, and a time limit. Its exit codes tell little:
 * what it prints is what counts.
 */
import { accessSync, constants } from 'node:fs';
import { FerryError, systemCode } from '../base/errors.ts';
import { readOwners } from '../fs/owners.ts';
import type { ProcessRunner, RunResult } from '../process/run.ts';
import type { Brand } from './brands.ts';
import { profileForProduct } from './identity.ts';
import { toldBy } from './command-told.ts';
import { lstatIfAny, statIfAny } from './read.ts';

export type ProductCli = {
  readonly brand: Brand;
  readonly path: string;
  readonly version: string | undefined;
  /** What it did instead of telling its version. */
  readonly told?: string;
  run(args: readonly string[], request: CliRequest): Promise<RunResult>;
};

/** Which install a command is about. */
export type CliTarget = {
  readonly home: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly profile: string;
};

export type CliRequest = {
  readonly target: CliTarget;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

export type CliDeps = {
  readonly run: ProcessRunner;
  /** The caller's environment, PATH included. */
  readonly env: Readonly<Record<string, string>>;
  /** Who the gateway belongs to, when that is not who runs us. */
  readonly owner?: { readonly uid: number; readonly gid: number };
};

const VERSION_TIMEOUT_MS = 60_000;

/** The product's command on the caller's PATH, asked for its version; undefined when there is none. */
export async function findProductCli(
  brand: Brand,
  deps: CliDeps,
  request: Omit<CliRequest, 'timeoutMs'>,
): Promise<ProductCli | undefined> {
  const path = commandOnPath(brand.command, deps.env['PATH'] ?? '');
  if (path === undefined) return undefined;
  const env = deps.owner === undefined ? deps.env : environmentOf(deps.owner.uid, deps.env);
  const run: ProductCli['run'] = (args, { target, timeoutMs, signal }) =>
    deps.run(path, args, {
      env: productEnv(brand, env, target),
      cwd: target.home,
      timeoutMs,
      signal,
      ...(deps.owner === undefined ? {} : { owner: deps.owner }),
    });
  return { brand, path, ...(await versionOf(run, request)), run };
}

/** Hangs, prints something else, needs another Node, cannot even be started: told as it was. */
async function versionOf(
  run: ProductCli['run'],
  request: Omit<CliRequest, 'timeoutMs'>,
): Promise<Pick<ProductCli, 'version' | 'told'>> {
  try {
    const result = await run(['--version'], { ...request, timeoutMs: VERSION_TIMEOUT_MS });
    const version = result.exit === 0 ? parseVersion(result.stdout) : undefined;
    return { version, ...(version === undefined && { told: toldBy(result) }) };
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'gateway-command') throw error;
    return { version: undefined, told: error.message };
  }
}

/** A command on the PATH that is a link to nothing: what an update or a removed Node leaves. */
export function brokenLinkOnPath(command: string, path: string): string | undefined {
  return path
    .split(':')
    .map((folder) => `${folder}/${command}`)
    .find((at) => lstatIfAny(at)?.isSymbolicLink() === true && statIfAny(at) === undefined);
}

/** The first executable of that name on a PATH. */
export function commandOnPath(command: string, path: string): string | undefined {
  return path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => `${folder}/${command}`)
    .find((candidate) => statIfAny(candidate)?.isFile() === true && isExecutable(candidate));
}

/**
 * The environment of a product command: the caller's, with every variable of the family replaced by what is meant, and
 * without what opens the bucket: the agent's own programs run there, and a service of it would not have that either.
 */
export function productEnv(
  brand: Brand,
  env: Readonly<Record<string, string>>,
  target: CliTarget,
): Record<string, string> {
  const prefixes = [brand.envPrefix, ...brand.legacyEnvPrefixes];
  const steering = ['STATE_DIR', 'CONFIG_PATH', 'PROFILE', 'HOME', 'GATEWAY_PORT', 'WORKSPACE_DIR'];
  const replaced = new Set(
    prefixes.flatMap((prefix) => steering.map((suffix) => `${prefix}_${suffix}`)),
  );
  const profile = profileForProduct(brand, target);
  return {
    ...Object.fromEntries(
      Object.entries(env).filter(([name]) => !replaced.has(name) && !OURS.test(name)),
    ),
    HOME: target.home,
    [`${brand.envPrefix}_STATE_DIR`]: target.stateDir,
    [`${brand.envPrefix}_CONFIG_PATH`]: target.configPath,
    ...(profile === 'default' ? {} : { [`${brand.envPrefix}_PROFILE`]: profile }),
    NO_COLOR: '1',
    TERM: 'dumb',
  };
}

/**
 * What root's environment becomes for a command that runs as somebody else: without root's own folders, and with the
 * session in which that user's services run, if there is one.
 */
function environmentOf(uid: number, env: Readonly<Record<string, string>>): Record<string, string> {
  const ofRoot = /^(SUDO_\w+|XDG_\w+|TMPDIR|TMP|TEMP|USER|LOGNAME|MAIL|DBUS_SESSION_BUS_ADDRESS)$/;
  const user = readOwners().user(uid);
  const session = `/run/user/${uid}`;
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !ofRoot.test(name))),
    ...(user !== '' && { USER: user, LOGNAME: user }),
    ...(statIfAny(session) && {
      XDG_RUNTIME_DIR: session,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${session}/bus`,
    }),
  };
}

const OURS = /^(AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)|STATEFERRY_.*)$/;

/** `2026.3.2` out of `OpenClaw 2026.3.2 (eb377ac)`. */
export function parseVersion(text: string): string | undefined {
  return /\d{4}\.\d+\.\d+(-[0-9A-Za-z.]+)?/.exec(text)?.[0];
}

/** Less than 0 when `a` is older. Suffixes: `-3` is a later build of the same release, `-beta.1` an earlier one. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionParts(a), versionParts(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Year, month, release, then 0 for none, below for a pre-release, above for a later build. */
function versionParts(version: string): number[] {
  const [core = '', suffix = ''] = version.split(/-(.*)/s);
  const numbers = core.split('.').map(Number);
  if (suffix === '') return [...numbers, 0];
  return /^\d+$/.test(suffix) ? [...numbers, Number(suffix)] : [...numbers, -1, ...digits(suffix)];
}

const digits = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);

/** JSON out of a command's output, which may begin with warnings. */
export function parseJsonOutput(stdout: string): unknown {
  for (let at = nextBracket(stdout, 0); at >= 0; at = nextBracket(stdout, at + 1)) {
    try {
      return JSON.parse(stdout.slice(at));
    } catch {
      // A bracket of a log line: the answer begins at a later one, if there is any.
    }
  }
  return undefined;
}

/** The answer begins at the start of a line. */
function nextBracket(text: string, from: number): number {
  const pattern = /^[[{]/gm;
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
