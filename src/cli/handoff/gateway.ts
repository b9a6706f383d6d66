/** The gateway of an install on this machine, as a handoff and its cancelling deal with it. */
import { FerryError } from '../../base/errors.ts';
import { findBrand } from '../../gateway/install/brands.ts';
import type { Install } from '../../gateway/install/install.ts';
import { findProductCli } from '../../gateway/product/product-cli.ts';
import { gatewayAtHand } from '../../gateway/running/at-hand.ts';
import {
  findRunning,
  type ControlDeps,
  type GatewayAtHand,
} from '../../gateway/running/control.ts';
import {
  requireSameService,
  type Fence,
  type FenceDeps,
  type FenceRequest,
} from '../../gateway/services/fence.ts';
import type { HandoffSettings } from '../../settings/schema.ts';
import { landingSite } from '../pull/pull-install.ts';
import type { Session } from '../session.ts';

export type OldGateway = {
  readonly atHand: GatewayAtHand;
  readonly control: ControlDeps;
  readonly fencing: FenceDeps;
};

export async function oldGateway(session: Session, install: Install): Promise<OldGateway> {
  const { emit, clock, signal } = session;
  const { env, uid, brands, cli: cliDeps } = landingSite(session);
  const brand = findBrand(brands, install.brand);
  if (!brand) throw new FerryError('install-not-found', `no brand ${install.brand} is known here`);
  const { home, stateDir, configPath, profile } = install;
  const target = { home, stateDir, configPath, profile };
  const cli = await findProductCli(brand, cliDeps, { target, signal });
  return {
    atHand: gatewayAtHand(target, { brand, env, uid }, install.port),
    control: { cli, cliDeps, clock, emit },
    fencing: { cliDeps, emit },
  };
}

/** @throws gateway-unstoppable: somebody started it again while its last change was pushed */
export async function requireDown({ atHand }: OldGateway, signal: AbortSignal): Promise<void> {
  const found = await findRunning(atHand, signal);
  if (found === undefined) return;
  throw new FerryError(
    'gateway-unstoppable',
    `the gateway was started again during the handoff (${found.why})`,
    { hint: 'Find out what starts it, then run the same again.' },
  );
}

export function fenceRequest(
  session: Session,
  { install, home }: Pick<Install, 'install' | 'home'>,
): FenceRequest {
  const { places, environment, clock } = session;
  const day = new Date(clock.nowMs()).toISOString().slice(0, 10);
  const why = `handed off to another machine on ${day}: start it there`;
  const back = `stateferry handoff ${install} --cancel`;
  return { file: fenceFile(places, install), why, back, home, uid: environment.owner.uid };
}

export const fenceFile = ({ settingsFolder }: Session['places'], install: string): string =>
  `${settingsFolder}/fence-${install.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`;

export const keptFence = ({ service }: Fence): NonNullable<HandoffSettings['fence']> => ({
  ...(service && { service }),
});

/** @throws target-unsafe */
export function fenceOf(
  { service }: NonNullable<HandoffSettings['fence']>,
  install: Install,
): Fence {
  const fence = { service };
  requireSameService(fence, install.service, install);
  return fence;
}
