/** The swap, while no gateway of what it moves runs: stopped late, and started again if nothing came of it. */
import { bytePathFromText } from '../../base/byte-path.ts';
import type { Clock } from '../../base/clock.ts';
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { isThere } from '../../fs/swap-steps.ts';
import { gatewayAtHand, putBackUp } from '../../gateway/running/at-hand.ts';
import {
  findRunning,
  stopGateway,
  type ControlDeps,
  type GatewayAtHand,
  type StoppedGateway,
} from '../../gateway/running/control.ts';
import type { GatewayHere } from '../plan/gateway-here.ts';

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
  deps: { readonly emit: Emit; readonly clock: Clock },
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
      if (!memory) continue;
      stopped.push(() => upAgain(memory, atHand, { ...control, ...deps }));
    }
    for (const { gateway } of landings) if (gateway) await refuseRunning(gateway.atHand, signal);
    return { done: swap(), startAgain };
  } catch (error) {
    await startAgain();
    throw error;
  }
}

/** An undo may leave nothing to start, or another config, which has a port of its own. */
async function upAgain(
  memory: StoppedGateway,
  atHand: GatewayAtHand,
  deps: ControlDeps,
): Promise<boolean> {
  const { target, stateDir } = atHand;
  if (!isThere(bytePathFromText(stateDir))) return false;
  return putBackUp(memory, gatewayAtHand(target, atHand, memory.port), deps);
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
