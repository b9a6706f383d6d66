/** The gateways of what a swap placed: none may run while it is moved again. */
import { FerryError } from '../../base/errors.ts';
import { findGateway, type GatewayHere } from '../plan/gateway-here.ts';
import type { LandingSite } from '../plan/site.ts';
import { isInterrupted, journalsIn, type Journal } from './journal.ts';

/** @throws install-not-found: a brand that is not known any more, whose gateway cannot be told */
export async function gatewaysOf(
  { installs }: Pick<Journal, 'installs'>,
  site: LandingSite,
  signal: AbortSignal,
): Promise<GatewayHere[]> {
  const gateways: GatewayHere[] = [];
  for (const { gateway } of installs) {
    const { port, ...place } = gateway;
    const brand = site.brands.find(({ name }) => name === place.brand);
    if (!brand) throw unknownBrand(place.brand);
    const target = { home: site.home, ...place };
    gateways.push(await findGateway({ site, brand, record: { port }, target }, signal));
  }
  return gateways;
}

/**
 * An interrupted swap is not completed below a gateway that was started on what it left.
 * @throws gateway-unstoppable
 */
export async function refuseRunningOnHalf(
  journals: string,
  site: LandingSite,
  signal: AbortSignal,
): Promise<void> {
  for (const { journal } of journalsIn(journals).filter(isInterrupted)) {
    for (const { atHand, found } of await gatewaysOf(journal, site, signal)) {
      if (found === undefined) continue;
      const { command } = atHand.brand;
      throw new FerryError(
        'gateway-unstoppable',
        `an interrupted swap is half done, and a gateway runs on that (${found.why})`,
        { hint: `Stop it (${command} gateway stop), then run the same again: that completes it.` },
      );
    }
  }
}

const unknownBrand = (name: string): FerryError =>
  new FerryError('install-not-found', `this machine no longer knows the brand ${name}`, {
    hint: 'Add it to the settings again: without it nobody can tell whether its gateway runs.',
  });
