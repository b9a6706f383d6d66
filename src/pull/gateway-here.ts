/** The gateway of the install that a pull replaces: stopped late, and started again if nothing came of it. */
import { FerryError, messageOf } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { Brand } from '../gateway/brands.ts';
import { loadConfig, textAt } from '../gateway/config-text.ts';
import {
  findRunning,
  startAgain,
  stopGateway,
  type ControlDeps,
  type FoundRunning,
  type GatewayAtHand,
  type StoppedGateway,
} from '../gateway/control.ts';
import { findProductCli, type CliTarget, type ProductCli } from '../gateway/product-cli.ts';
import { readFileIfAny } from '../gateway/read.ts';
import type { GatewayRecord } from '../gateway/record.ts';
import { isRunning, portOf } from '../gateway/running.ts';
import type { LandingSite, PullDeps } from './landing.ts';

export type GatewayHere = {
  readonly atHand: GatewayAtHand;
  /** undefined: none runs. */
  readonly found: FoundRunning | undefined;
  readonly control: Pick<ControlDeps, 'cli' | 'cliDeps'>;
};

type Here = {
  readonly site: LandingSite;
  readonly brand: Brand;
  /** That of the snapshot: its gateway may run here already. */
  readonly record: Pick<GatewayRecord, 'port'>;
  readonly target: CliTarget;
  /** As far as doctor and restart need it. */
  readonly cli?: ProductCli | undefined;
};

/** By the lock of the config that will be replaced, at its own port and at that of the snapshot. */
export async function gatewayHere(
  here: Here,
  emit: Emit,
  signal: AbortSignal,
): Promise<GatewayHere> {
  const gateway = await findGateway(here, signal);
  if (!gateway.found) await warnOfPort(gateway.atHand, here.record.port, emit, signal);
  return gateway;
}

export async function findGateway(
  { site, brand, record, target, cli }: Here,
  signal: AbortSignal,
): Promise<GatewayHere> {
  const { stateDir, configPath } = target;
  const { env, uid } = site;
  const config = loadConfig(configPath, readFileIfAny);
  const ports = [...new Set([...(config.exists ? [portOf(config, brand, env)] : []), record.port])];
  const basePath = pagePath(textAt(config.value, 'gateway', 'controlUi', 'basePath'));
  const atHand = { brand, stateDir, configPath, env, uid, basePath, ports, target };
  const found = await findRunning(atHand, signal);
  const own = cli ?? (found && (await findProductCli(brand, site.cli, { target, signal })));
  return { atHand, found, control: { cli: own, cliDeps: site.cli } };
}

export const pagePath = (basePath: string | undefined): string =>
  basePath === undefined || basePath === '' ? '' : `/${basePath.replaceAll(/^\/+|\/+$/g, '')}`;

/** Somebody else's program is left alone; the pulled gateway will not be able to listen beside it. */
async function warnOfPort(
  atHand: GatewayAtHand,
  port: number,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const { heldBy } = await isRunning({ ...atHand, port, signal });
  if (heldBy === undefined) return;
  emit({
    type: 'notice',
    code: 'port-taken',
    message: `port ${port}, which the pulled gateway will want, is that of ${heldBy}`,
    hint: 'It is left alone. Before the pulled gateway starts, end it or give one of them another port.',
  });
}

export type DoneWhileStopped<T> = {
  readonly done: T;
  /** The gateways that ran before, as they ran. */
  startAgain(): Promise<void>;
};

/**
 * Does the swap while no gateway of these installs runs: each stopped and proved just before, and started again if the
 * swap did not happen.
 * @throws gateway-unstoppable: one does not stop, or one is there that nobody has agreed to stop
 */
export async function whileStopped<T>(
  landings: readonly { readonly gateway: GatewayHere | undefined }[],
  deps: Pick<PullDeps, 'emit' | 'clock'>,
  signal: AbortSignal,
  swap: () => T,
): Promise<DoneWhileStopped<T>> {
  const stopped: (() => Promise<void>)[] = [];
  const startAgain = async (): Promise<void> => {
    for (const start of stopped.toReversed()) await start();
  };
  try {
    for (const { gateway } of landings) {
      if (gateway?.found === undefined) continue;
      const { atHand, control } = gateway;
      deps.emit({ type: 'stage', stage: 'stop', detail: 'gateway' });
      const memory = await stopGateway(atHand, { ...control, ...deps }, signal);
      if (memory) stopped.push(() => putBackUp(memory, atHand, { ...control, ...deps }));
    }
    for (const { gateway } of landings) if (gateway) await refuseRunning(gateway.atHand, signal);
    return { done: swap(), startAgain };
  } catch (error) {
    await startAgain();
    throw error;
  }
}

/** One that came up meanwhile: nobody was asked about it. */
async function refuseRunning(atHand: GatewayAtHand, signal: AbortSignal): Promise<void> {
  const found = await findRunning(atHand, signal);
  if (found === undefined) return;
  throw new FerryError(
    'gateway-unstoppable',
    `a gateway was started here during the pull (${found.why}); nothing was changed`,
    { hint: 'Run the same again: it is then part of the plan, and what was fetched is kept.' },
  );
}

/** Also after an interruption: the signal that ended us must not end this. */
async function putBackUp(
  stopped: StoppedGateway,
  atHand: GatewayAtHand,
  deps: ControlDeps,
): Promise<void> {
  const { command } = atHand.brand;
  const { signal } = new AbortController();
  const isUp = await startAgain(stopped, atHand, deps, signal).catch((error: unknown) => {
    const message = `the gateway could not be started again: ${messageOf(error)}`;
    deps.emit({ type: 'notice', code: 'gateway-down', message });
    return false;
  });
  deps.emit({
    type: 'notice',
    ...(isUp
      ? { code: 'gateway-up-again', message: 'the gateway that was stopped runs again' }
      : {
          code: 'gateway-down',
          message: 'the gateway that was stopped does not run',
          hint: `Start it: ${command} gateway start — or in the foreground: ${command} gateway run`,
        }),
  });
}
