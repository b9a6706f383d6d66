/**
 * Is a gateway running? Never by an exit code: by the lock file of a process that lives and is a gateway, and by
 * something that listens on its port.
 */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { z } from 'zod';
import { loadConfig, valueAt } from '../config/config-text.ts';
import type { LoadedConfig } from '../config/config-text.ts';
import { namesIn, readFileIfAny, realPath, statIfAny } from '../disk/read.ts';
import type { Brand } from '../install/brands.ts';
import { fetchControlPage } from './control-page.ts';
import {
  commandLineOf,
  gatewaysOf,
  isGatewayCommand,
  isMeant,
  listenerOf,
  processLives,
  startTimeOf,
} from './processes.ts';

export type RunningInput = {
  readonly brand: Brand;
  readonly stateDir: string;
  readonly configPath: string;
  readonly port: number;
  /** Where its page is, when not at the top: `/claw`. */
  readonly basePath?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where a service has its temporary files, if elsewhere: its lock is there. */
  readonly serviceTmpdir?: string | undefined;
  /** Of the user who runs the gateway. */
  readonly uid: number;
  readonly signal: AbortSignal;
};

export type RunningAnswer = {
  readonly running: boolean;
  /** A process that was verified: by its lock, or because it has the port and was started for this install. */
  readonly pid: number | undefined;
  readonly portOpen: boolean;
  /** Who has the port, when that is not the gateway of this install. */
  readonly heldBy: string | undefined;
  readonly why: string;
};

export async function isRunning(input: RunningInput): Promise<RunningAnswer> {
  const lock = lockFiles(input)
    .map((path) => readLock(path, input))
    .find((one) => one !== undefined && isAlive(one, input));
  const portOpen = await listens(input.port, input.signal);
  const down = { running: false, pid: undefined, portOpen, heldBy: undefined };
  if (lock !== undefined) {
    return { ...down, running: true, pid: lock.pid, why: `lock of process ${lock.pid}` };
  }
  if (!portOpen) return { ...down, why: 'no lock, port closed' };
  const holder = await holderOf(input);
  if (holder.kind === 'own') {
    return { ...down, running: true, pid: holder.pid, why: holder.what };
  }
  return { ...down, heldBy: holder.what, why: `port ${input.port} is that of ${holder.what}` };
}

type Holder =
  | { readonly kind: 'own'; readonly pid: number | undefined; readonly what: string }
  | { readonly kind: 'other'; readonly what: string };

/** Whose is the open port? A gateway of which nobody can tell counts as this install's: nothing is swapped below it. */
async function holderOf(input: RunningInput): Promise<Holder> {
  const { port, brand, uid } = input;
  const other = otherOwner(input);
  if (other !== undefined) return { kind: 'other', what: `the gateway with ${other}` };
  const listener = listenerOf(port);
  const pid = listener?.pid;
  const words = pid === undefined ? undefined : commandLineOf(pid);
  const isGateway = async (): Promise<boolean> =>
    (await fetchControlPage(port, input.basePath ?? '', brand.name, input.signal)).title !==
    undefined;
  if (pid !== undefined && words !== undefined) {
    if (!isGatewayCommand(words, brand) && !(await isGateway())) {
      return { kind: 'other', what: `process ${pid}, which is no gateway` };
    }
    if (isMeant(pid, input)) return { kind: 'own', pid, what: `process ${pid} on port ${port}` };
    return { kind: 'other', what: `process ${pid}, a gateway of another install` };
  }
  if (listener !== undefined && listener.uid !== uid && listener.uid !== 0) {
    return { kind: 'other', what: `a process of user ${listener.uid}` };
  }
  if (!(await isGateway())) return { kind: 'other', what: 'a program that is no gateway' };
  return { kind: 'own', pid: undefined, what: `a gateway answers on port ${port}` };
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
  return otherLocks(input).find(
    ({ port, configPath }) =>
      (port ?? portOf(loadConfig(configPath, readFileIfAny), input.brand, {})) === input.port,
  )?.configPath;
}

/** Gateways of this install that have no lock and no port yet: what something starts again is seen at once. */
export function startingGateways(input: Omit<RunningInput, 'signal' | 'port'>): number[] {
  const others = new Set(otherLocks(input).map(({ pid }) => pid));
  return gatewaysOf(input).filter((pid) => !others.has(pid));
}

/** Of living gateways of this user and brand, with another config. */
function otherLocks(input: Omit<RunningInput, 'signal' | 'port'>): NamedLock[] {
  const folders = new Set(lockFiles(input).map((path) => path.slice(0, path.lastIndexOf('/'))));
  const own = new Set([input.configPath, realPath(input.configPath)]);
  return [...folders]
    .flatMap((folder) =>
      namesIn(folder)
        .filter((name) => /^gateway\..*\.lock$/.test(name))
        .map((name) => readLock(`${folder}/${name}`, input)),
    )
    .filter(isNamed)
    .filter((lock) => !own.has(lock.configPath) && isAlive(lock, input));
}

type NamedLock = Lock & { readonly configPath: string };
const isNamed = (lock: Lock | undefined): lock is NamedLock => lock?.configPath !== undefined;

/** Where the generations keep their lock: a temporary folder of the user, or the state dir's own. */
export function lockFiles(input: Omit<RunningInput, 'signal' | 'port'>): string[] {
  const { brand, env, uid, stateDir, serviceTmpdir } = input;
  const temporary = [env['TMPDIR'], serviceTmpdir, '/tmp'].filter(
    (one) => one !== undefined && one !== '',
  );
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

/** What lies in /tmp may be anybody's: a lock of a stranger says nothing. */
function readLock(path: string, { uid }: Pick<RunningInput, 'uid'>): Lock | undefined {
  const owner = statIfAny(path)?.uid;
  if (owner !== undefined && ![uid, 0, process.getuid?.()].includes(owner)) return undefined;
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
function isAlive(lock: Lock, input: Pick<RunningInput, 'brand'>): boolean {
  if (!processLives(lock.pid)) return false;
  const started = startTimeOf(lock.pid);
  if (started === undefined) return true;
  if (lock.startTime !== undefined && started !== lock.startTime) return false;
  return looksLikeGateway(commandLineOf(lock.pid) ?? [], input.brand);
}

const looksLikeGateway = (words: readonly string[], brand: Brand): boolean =>
  words.some((word) => word.includes('gateway') || word.includes(brand.command));
