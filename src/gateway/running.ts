/**
 * Is a gateway running? Never by an exit code: by the lock file of a process that lives and is a gateway, and by
 * something that listens on its port.
 */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { systemCode } from '../base/errors.ts';
import { z } from 'zod';
import type { Brand } from './brands.ts';
import { loadConfig, valueAt } from './config-text.ts';
import type { LoadedConfig } from './config-text.ts';
import { namesIn, readFileIfAny, realPath } from './read.ts';

export type RunningInput = {
  readonly brand: Brand;
  readonly stateDir: string;
  readonly configPath: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Of the user who runs the gateway. */
  readonly uid: number;
  readonly signal: AbortSignal;
};

export type RunningAnswer = {
  readonly running: boolean;
  /** From a lock whose process was verified. */
  readonly pid: number | undefined;
  /** Something listens on the port; without a lock it may be another install's gateway. */
  readonly portOpen: boolean;
  readonly why: string;
};

export async function isRunning(input: RunningInput): Promise<RunningAnswer> {
  const lock = lockFiles(input)
    .map(readLock)
    .find((one) => one !== undefined && isAlive(one, input));
  const portOpen = await listens(input.port, input.signal);
  if (lock !== undefined) {
    return { running: true, pid: lock.pid, portOpen, why: `lock of process ${lock.pid}` };
  }
  const other = portOpen ? otherOwner(input) : undefined;
  if (other !== undefined) {
    const why = `port ${input.port} is that of the gateway with ${other}`;
    return { running: false, pid: undefined, portOpen, why };
  }
  const why = portOpen ? `something listens on port ${input.port}` : 'no lock, port closed';
  return { running: portOpen, pid: undefined, portOpen, why };
}

/** `<BRAND>_GATEWAY_PORT`, then `gateway.port`, then the brand's default. */
export function portOf(
  config: Pick<LoadedConfig, 'value'>,
  brand: Brand,
  env: Readonly<Record<string, string>>,
): number {
  const fromEnv = Number(env[`${brand.envPrefix}_GATEWAY_PORT`]);
  if (Number.isInteger(fromEnv) && fromEnv > 0 && fromEnv < 65_536) return fromEnv;
  const fromConfig = valueAt(config.value, ['gateway', 'port']);
  return typeof fromConfig === 'number' ? fromConfig : brand.defaultPort;
}

/** Does something accept connections on this port of the loopback interface? */
export function listens(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = connect({ host: '127.0.0.1', port, timeout: CONNECT_TIMEOUT_MS, signal });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => {
      if (signal.aborted) reject(signal.reason as Error);
      else settle(false);
    });
  });
}

const CONNECT_TIMEOUT_MS = 2_000;

/** The config of another gateway of this user that is alive and has this port: installs often share the default. */
function otherOwner(input: RunningInput): string | undefined {
  const folders = new Set(lockFiles(input).map((path) => path.slice(0, path.lastIndexOf('/'))));
  const paths = [...folders].flatMap((folder) =>
    namesIn(folder)
      .filter((name) => /^gateway\..*\.lock$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const own = new Set([input.configPath, realPath(input.configPath)]);
  const owner = paths.map(readLock).find((lock) => {
    const config = lock?.configPath;
    if (lock === undefined || config === undefined || own.has(config)) return false;
    const port = lock.port ?? portOf(loadConfig(config, readFileIfAny), input.brand, {});
    return port === input.port && isAlive(lock, input);
  });
  return owner?.configPath;
}

/** Where the generations keep their lock: a temporary folder of the user, or the state dir's own. */
export function lockFiles(input: RunningInput): string[] {
  const { brand, env, uid, stateDir } = input;
  const temporary = [env['TMPDIR'], '/tmp'].filter((one) => one !== undefined && one !== '');
  const folders = [
    ...new Set(
      temporary.map((folder) => `${String(folder).replace(/\/+$/, '')}/${brand.name}-${uid}`),
    ),
  ];
  const hashes = [...new Set([input.configPath, realPath(input.configPath)])].map((path) =>
    createHash('sha256').update(path).digest('hex').slice(0, 8),
  );
  const own = `${stateDir}/tmp`;
  const inState = namesIn(own).filter((name) => name.startsWith(`${brand.name}-`));
  return [
    ...folders.flatMap((folder) => hashes.map((hash) => `${folder}/gateway.${hash}.lock`)),
    ...inState.flatMap((name) =>
      ['state', ...hashes].map((part) => `${own}/${name}/gateway.${part}.lock`),
    ),
  ];
}

const lockSchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.number().optional(),
  configPath: z.string().optional(),
  port: z.number().optional(),
});
type Lock = z.infer<typeof lockSchema>;

function readLock(path: string): Lock | undefined {
  const bytes = readFileIfAny(path);
  if (bytes === undefined) return undefined;
  try {
    return lockSchema.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    // Half written, or not ours: the port decides.
    return undefined;
  }
}

/** The process lives, started when the lock says, and looks like a gateway: pids are used again. */
function isAlive(lock: Lock, input: RunningInput): boolean {
  if (!processExists(lock.pid)) return false;
  const stat = readFileIfAny(`/proc/${lock.pid}/stat`)?.toString('latin1');
  if (stat === undefined) return true;
  // The command name may hold spaces and brackets: fields count from behind its closing one; 22 is the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (lock.startTime !== undefined && Number(fields[19]) !== lock.startTime) return false;
  const commandLine = readFileIfAny(`/proc/${lock.pid}/cmdline`)?.toString('latin1') ?? '';
  return commandLine.includes('gateway') || commandLine.includes(input.brand.command);
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
