/**
 * Stops a gateway and proves it, and starts it again. What the product's command says about that proves nothing: it
 * exits 0 and stops nothing where no service manager is. The lock of a living process, the port and the processes
 * themselves are asked before and afterwards.
 */
import type { Clock } from '../../base/clock.ts';
import { FerryError, systemCode } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { startProcess } from '../../process/start.ts';
import { saysDone } from '../product/answer.ts';
import { emitCommand } from '../product/command-told.ts';
import {
  productEnv,
  type CliDeps,
  type CliTarget,
  type ProductCli,
} from '../product/product-cli.ts';
import {
  commandLineOf,
  environmentOf,
  isMeant,
  processLives,
  serviceUnitOf,
  userOf,
} from './processes.ts';
import { isRunning, startingGateways, type RunningAnswer, type RunningInput } from './running.ts';

export type GatewayAtHand = Omit<RunningInput, 'signal' | 'port'> & {
  /** It may listen at the port of its config, or still at another. */
  readonly ports: readonly number[];
  readonly target: CliTarget;
};

export type ControlDeps = {
  /** undefined: the product's command is not here; only a signal is left. */
  readonly cli: ProductCli | undefined;
  readonly cliDeps: CliDeps;
  readonly clock: Clock;
  readonly emit: Emit;
};

/** What is needed to start it again. */
export type StoppedGateway = {
  readonly by: 'command' | 'signal';
  readonly port: number;
  /** Of its process; values stay in memory. */
  readonly environment: Readonly<Record<string, string>> | undefined;
};

export type FoundRunning = RunningAnswer & { readonly port: number };

/** The gateway that runs for this install; undefined when none does. */
export async function findRunning(
  gateway: GatewayAtHand,
  signal: AbortSignal,
): Promise<FoundRunning | undefined> {
  let locked: FoundRunning | undefined;
  for (const port of gateway.ports) {
    const answer = await isRunning({ ...gateway, port, signal });
    if (!answer.running) continue;
    if (answer.portOpen) return { ...answer, port };
    // Its lock says that it runs, and not at which of them.
    locked ??= { ...answer, port };
  }
  if (locked !== undefined) return locked;
  const [pid] = startingGateways(gateway);
  const port = gateway.ports[0] ?? gateway.brand.defaultPort;
  const down = { running: true, portOpen: false, heldBy: undefined, port };
  return pid === undefined ? undefined : { ...down, pid, why: `process ${pid}, which starts` };
}

const STOP_COMMAND_TIMEOUT_MS = 120_000;
/** After a command that said it stopped it; the products need 3 s, the oldest up to 20. */
const COMMAND_WAIT_MS = 30_000;
/** After SIGTERM: the newest lets a turn end first. */
const SIGNAL_WAIT_MS = 90_000;
const POLL_MS = 200;
/** A service is started again after 5 s (its RestartSec), anything else at once. */
const SETTLE_OF_SERVICE_MS = 8_000;
const SETTLE_MS = 1_500;

/**
 * Asks the product's command first; where that does not reach it (a gateway in the foreground), SIGTERM to the process
 * that was verified. Never SIGKILL: its databases are open.
 * @throws gateway-unstoppable when it is still there, or there again
 */
export async function stopGateway(
  gateway: GatewayAtHand,
  deps: ControlDeps,
  signal: AbortSignal,
): Promise<StoppedGateway | undefined> {
  const found = await findRunning(gateway, signal);
  if (found === undefined) return undefined;
  const { pid, port } = found;
  const unit = pid === undefined ? undefined : serviceUnitOf(pid);
  const stopped = { port, environment: pid === undefined ? undefined : environmentOf(pid) };
  const watch: Watch = { gateway, deps, pid, unit, known: knownOf(gateway, pid) };
  let by: StoppedGateway['by'] = 'command';
  try {
    const saidStopped = await askToStop(gateway.target, deps, signal);
    if (!(await isGone(watch, saidStopped ? COMMAND_WAIT_MS : 0, signal))) {
      by = 'signal';
      await endProcess(watch, signal);
      if (!(await isGone(watch, SIGNAL_WAIT_MS, signal))) throw unstoppable(found, gateway);
    }
    await staysDown(watch, signal);
    return { by, ...stopped };
  } catch (error) {
    if (signal.aborted) await undoStop(watch, { by, ...stopped });
    throw error;
  }
}

/** Interrupted halfway: what was asked to end is waited for and started again. */
async function undoStop(watch: Watch, stopped: StoppedGateway): Promise<void> {
  const { signal } = new AbortController();
  const waitMs = stopped.by === 'command' ? SETTLE_OF_SERVICE_MS : COMMAND_WAIT_MS;
  if (await isGone(watch, waitMs, signal)) {
    await startAgain(stopped, watch.gateway, watch.deps, signal);
  }
}

/** Its own process, and what waits for that. */
const knownOf = (gateway: GatewayAtHand, pid: number | undefined): ReadonlySet<number> =>
  new Set([...startingGateways(gateway), ...(pid === undefined ? [] : [pid])]);

type Watch = {
  readonly gateway: GatewayAtHand;
  readonly deps: ControlDeps;
  readonly pid: number | undefined;
  readonly known: ReadonlySet<number>;
  readonly unit: string | undefined;
};

/** Whether the command says that it stopped something; with its own force only where its help lists that. */
async function askToStop(
  target: CliTarget,
  { cli, emit }: ControlDeps,
  signal: AbortSignal,
): Promise<boolean> {
  if (cli === undefined) return false;
  const request = { target, timeoutMs: STOP_COMMAND_TIMEOUT_MS, signal };
  const help = await cli.run(['gateway', 'stop', '--help'], request);
  const isForced = /gateway stop\b/.test(help.stdout) && /^\s*--force\b/m.test(help.stdout);
  const args = ['gateway', 'stop', '--json', ...(isForced ? ['--force'] : [])];
  const result = await cli.run(args, request);
  emitCommand(emit, cli, args, result);
  return saysDone(result);
}

/** Its process has ended, and nothing looks like it any more. @throws gateway-unstoppable: another one does */
async function isGone(watch: Watch, waitMs: number, signal: AbortSignal): Promise<boolean> {
  const { gateway, pid } = watch;
  const { clock, emit } = watch.deps;
  const startMs = clock.nowMs();
  for (;;) {
    const isAlive = pid !== undefined && processLives(pid);
    const found = await findRunning(gateway, signal);
    if (!isAlive && found === undefined) return true;
    if (!isAlive) refuseOther(found, watch);
    const durationMs = clock.nowMs() - startMs;
    if (durationMs >= waitMs) return false;
    emit({ type: 'underway', what: 'the gateway is stopping', durationMs });
    await clock.sleep(POLL_MS, signal);
  }
}

function refuseOther(found: FoundRunning | undefined, { known, unit, gateway }: Watch): void {
  if (found?.pid === undefined || known.has(found.pid)) return;
  throw startedAgain(found.pid, unit, gateway);
}

/** @throws gateway-unstoppable when something starts it again */
async function staysDown({ gateway, deps, unit }: Watch, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  const untilMs = clock.nowMs() + (unit === undefined ? SETTLE_MS : SETTLE_OF_SERVICE_MS);
  do {
    await clock.sleep(POLL_MS, signal);
    const found = await findRunning(gateway, signal);
    if (found !== undefined) throw startedAgain(found.pid, unit, gateway);
  } while (clock.nowMs() < untilMs);
}

/** Verified once more just before: a process id may be somebody else's by now. */
async function endProcess(watch: Watch, signal: AbortSignal): Promise<void> {
  const { gateway, deps } = watch;
  const now = await findRunning(gateway, signal);
  if (now === undefined) return;
  if (now.pid === undefined) throw unstoppable(now, gateway);
  refuseOther(now, watch);
  if (!(await isTheirGateway(now.pid, gateway, deps, signal))) throw unstoppable(now, gateway);
  try {
    process.kill(now.pid, 'SIGTERM');
  } catch (error) {
    if (systemCode(error) === 'EPERM') throw unstoppable(now, gateway);
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

const PS_TIMEOUT_MS = 10_000;

/**
 * A lock says only what somebody wrote into it, and root may be the one who reads it: a process of another user is
 * none of ours unless its own variables say so. Where the system has no /proc, ps tells whose and what it is.
 */
async function isTheirGateway(
  pid: number,
  gateway: GatewayAtHand,
  { cliDeps }: ControlDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { brand, uid } = gateway;
  if (commandLineOf(pid) !== undefined) return userOf(pid) === uid || isMeant(pid, gateway);
  const options = { env: { PATH: '/usr/bin:/bin' }, timeoutMs: PS_TIMEOUT_MS, signal };
  const args = ['-o', 'uid=', '-o', 'command=', '-p', `${pid}`];
  const { stdout } = await cliDeps.run('ps', args, options);
  const isGateway = stdout.includes('gateway') || stdout.includes(brand.command);
  return Number.parseInt(stdout, 10) === uid && isGateway;
}

function unstoppable({ pid, port, why }: FoundRunning, { brand }: GatewayAtHand): FerryError {
  if (pid === undefined) {
    return new FerryError('gateway-unstoppable', `${why}, and which process it is is not known`, {
      hint: `Stop it where it was started (${brand.command} gateway stop), then run the same again.`,
      details: { port },
    });
  }
  return new FerryError(
    'gateway-unstoppable',
    `the gateway does not stop: process ${pid} goes on`,
    {
      hint: `Look at it (ps -p ${pid}) and end it (kill ${pid}), then run the same again.`,
      details: { pid, port },
    },
  );
}

function startedAgain(
  pid: number | undefined,
  unit: string | undefined,
  { brand, ports }: GatewayAtHand,
): FerryError {
  const process = pid === undefined ? `port ${ports.join(', ')}` : `process ${pid}`;
  const starter = unit ?? (pid === undefined ? undefined : serviceUnitOf(pid));
  const how =
    starter === undefined
      ? `Stop what starts it (its service, the desktop app, pm2, a container)`
      : `Stop the service: systemctl --user stop ${starter}`;
  return new FerryError(
    'gateway-unstoppable',
    `the ${brand.command} gateway was stopped, and something started it again (${process})`,
    { hint: `${how}, then run the same again.`, ...(pid !== undefined && { details: { pid } }) },
  );
}

const START_COMMAND_TIMEOUT_MS = 120_000;
/** The slowest generation needs 13 s on a small machine. */
const START_WAIT_MS = 60_000;

/** The gateway as it was before it was stopped. Answers whether it is seen to run. */
export async function startAgain(
  stopped: StoppedGateway,
  gateway: GatewayAtHand,
  deps: ControlDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { cli, cliDeps, clock, emit } = deps;
  if (cli === undefined) return false;
  const { target } = gateway;
  if (stopped.by === 'command') {
    const args = ['gateway', 'start', '--json'];
    await cli.run(args, { target, timeoutMs: START_COMMAND_TIMEOUT_MS, signal });
  } else {
    await startProcess(cli.path, ['gateway', 'run', '--port', `${stopped.port}`], {
      env: stopped.environment ?? productEnv(cli.brand, cliDeps.env, target),
      cwd: target.home,
      ...(cliDeps.owner && { owner: cliDeps.owner }),
    });
  }
  const startMs = clock.nowMs();
  for (;;) {
    if ((await findRunning(gateway, signal))?.portOpen === true) return true;
    const durationMs = clock.nowMs() - startMs;
    if (durationMs >= START_WAIT_MS) return false;
    emit({ type: 'underway', what: 'the gateway is starting', durationMs });
    await clock.sleep(POLL_MS, signal);
  }
}
