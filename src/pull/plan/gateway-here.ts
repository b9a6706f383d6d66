/** The gateway of the install that a pull replaces: whether it runs, and how it would be stopped. */
import type { Emit } from '../../base/events.ts';
import type { Brand } from '../../gateway/install/brands.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import {
  findProductCli,
  type CliTarget,
  type ProductCli,
} from '../../gateway/product/product-cli.ts';
import { gatewayAtHand } from '../../gateway/running/at-hand.ts';
import {
  findRunning,
  type ControlDeps,
  type FoundRunning,
  type GatewayAtHand,
} from '../../gateway/running/control.ts';
import { isRunning } from '../../gateway/running/running.ts';
import type { LandingSite } from './site.ts';

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
