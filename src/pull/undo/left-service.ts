/**
 * A pull into a home without a gateway makes a service for the one that it brings. When that pull is undone nothing is
 * there for it to start, and a service manager tries all the same, again and again: so it goes too, by the product's
 * own command.
 */
import { bytePathFromText } from '../../base/byte-path.ts';
import type { Emit } from '../../base/events.ts';
import type { SwapStep } from '../../fs/swap-steps.ts';
import { thisDisk } from '../../gateway/disk/disk.ts';
import { isWithin } from '../../gateway/disk/paths.ts';
import { saysDone } from '../../gateway/product/answer.ts';
import { emitCommand } from '../../gateway/product/command-told.ts';
import { findProductCli } from '../../gateway/product/product-cli.ts';
import { ownService, readServices } from '../../gateway/services/services.ts';
import type { GatewayHere } from '../plan/gateway-here.ts';
import type { LandingSite } from '../plan/site.ts';

export type LeftService = { readonly name: string; readonly gateway: GatewayHere };

/** Of gateways whose state dir nothing is put back to. */
export function leftServices(
  gateways: readonly GatewayHere[],
  steps: readonly SwapStep[],
  { home }: Pick<LandingSite, 'home'>,
): LeftService[] {
  const gone = gateways.filter(({ atHand }) => !isPutBack(atHand.stateDir, steps));
  if (gone.length === 0) return [];
  const services = readServices(home, thisDisk);
  return gone.flatMap((gateway) => {
    const { brand, target } = gateway.atHand;
    const service = ownService(services, brand, target);
    return service?.kind === 'systemd' ? [{ name: service.name, gateway }] : [];
  });
}

export function isPutBack(stateDir: string, steps: readonly SwapStep[]): boolean {
  const at = bytePathFromText(stateDir);
  return steps.some((step) => step.kind === 'place' && isWithin(step.to, at));
}

const UNINSTALL_TIMEOUT_MS = 120_000;

/** What does not go is told: nothing else of the undo depends on it. */
export async function removeLeftService(
  { name, gateway }: LeftService,
  site: Pick<LandingSite, 'cli'>,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const { brand, target } = gateway.atHand;
  const cli = gateway.control.cli ?? (await findProductCli(brand, site.cli, { target, signal }));
  const args = ['gateway', 'uninstall', '--json'];
  const ran = await cli?.run(args, { target, timeoutMs: UNINSTALL_TIMEOUT_MS, signal });
  if (cli && ran) emitCommand(emit, cli, args, ran);
  if (ran && saysDone(ran)) return;
  const message = `the service ${name} is still there, and has nothing left to start`;
  const hint = `Take it away: ${brand.command} gateway uninstall`;
  emit({ type: 'notice', code: 'service-left', message, hint });
}
