/**
 * The product's own command. Always with `<BRAND>_STATE_DIR`, `<BRAND>_CONFIG_PATH` and HOME set (an old config path
 * would win otherwise), with the caller's PATH and Node, stdin closed, and a time limit. Its exit codes tell little:
 * what it prints is what counts.
 */
import { FerryError } from '../../base/errors.ts';
import { readOwners } from '../../fs/owners.ts';
import type { ProcessRunner, RunResult } from '../../process/run.ts';
import { statIfAny } from '../disk/read.ts';
import type { Brand } from '../install/brands.ts';
import { profileForProduct } from '../install/identity.ts';
import { toldBy } from './command-told.ts';
import { commandOnPath } from './on-path.ts';
import { parseVersion } from './version.ts';

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
