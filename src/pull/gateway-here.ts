/** The gateway of the install that a pull replaces: stopped late, and started again if nothing came of it. */
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { Brand } from '../gateway/install/brands.ts';
import type { GatewayRecord } from '../gateway/install/record.ts';
import { findProductCli, type CliTarget, type ProductCli } from '../gateway/product/product-cli.ts';
import { gatewayAtHand, putBackUp } from '../gateway/running/at-hand.ts';
import {
  findRunning,
  stopGateway,
  type ControlDeps,
  type FoundRunning,
  type GatewayAtHand,
} from '../gateway/running/control.ts';
import { isRunning } from '../gateway/running/running.ts';
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
  const { env, uid } = site;
  const atHand = gatewayAtHand(target, { brand, env, uid }, record.port);
  const found = await findRunning(atHand, signal);
  const own = cli ?? (found && (await findProductCli(brand, site.cli, { target, signal })));
  return { atHand, found, control: { cli: own, cliDeps: site.cli } };
}

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
  const stopped: (() => Promise<boolean>)[] = [];
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
