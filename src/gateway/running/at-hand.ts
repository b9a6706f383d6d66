/** The gateway of an install on this machine: where it is looked for, and how it comes back up after a stop. */
import { messageOf } from '../../base/errors.ts';
import { loadConfig } from '../config/config-text.ts';
import { readFileIfAny } from '../disk/read.ts';
import type { CliTarget } from '../product/product-cli.ts';
import { pagePathOf } from './control-page.ts';
import {
  startAgain,
  type ControlDeps,
  type GatewayAtHand,
  type StoppedGateway,
} from './control.ts';
import { portOf } from './running.ts';

/** @param knownPort where it may listen too: that of the snapshot, or the one at which it was found */
export function gatewayAtHand(
  target: CliTarget,
  { brand, env, uid }: Pick<GatewayAtHand, 'brand' | 'env' | 'uid'>,
  knownPort: number,
): GatewayAtHand {
  const { stateDir, configPath } = target;
  const config = loadConfig(configPath, readFileIfAny);
  const own = config.exists ? [portOf(config, brand, env)] : [];
  const basePath = pagePathOf(config.value);
  const ports = [...new Set([...own, knownPort])];
  return { brand, stateDir, configPath, env, uid, basePath, ports, target };
}

/** Also after an interruption: the signal that ended us must not end this. Answers whether it is seen to run. */
export async function putBackUp(
  stopped: StoppedGateway,
  gateway: GatewayAtHand,
  deps: ControlDeps,
): Promise<boolean> {
  const { command } = gateway.brand;
  const { signal } = new AbortController();
  const isUp = await startAgain(stopped, gateway, deps, signal).catch((error: unknown) => {
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
  return isUp;
}
