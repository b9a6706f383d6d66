/** The gateways of what a swap placed: none may run while it is moved. */
import { FerryError } from '../base/errors.ts';
import { loadConfig } from '../gateway/config-text.ts';
import { readFileIfAny } from '../gateway/read.ts';
import { isRunning, portOf } from '../gateway/running.ts';
import type { Journal, SwappedInstall } from './journal.ts';
import type { LandingSite } from './landing.ts';

/** @throws gateway-unstoppable */
export async function whileNoneRuns<T>(
  site: LandingSite,
  { installs }: Journal,
  signal: AbortSignal,
  work: () => T,
): Promise<T> {
  for (const { gateway } of installs) await refuseRunning(site, gateway, signal);
  return work();
}

async function refuseRunning(
  { env, uid, brands }: LandingSite,
  { brand: name, stateDir, configPath, port: itsPort }: SwappedInstall['gateway'],
  signal: AbortSignal,
): Promise<void> {
  const brand = brands.find((one) => one.name === name);
  if (!brand) return;
  const here = loadConfig(configPath, readFileIfAny);
  const ports = new Set([itsPort, ...(here.exists ? [portOf(here, brand, env)] : [])]);
  for (const port of ports) {
    const running = await isRunning({ brand, stateDir, configPath, port, env, uid, signal });
    if (!running.running) continue;
    throw new FerryError('gateway-unstoppable', `a gateway is running here (${running.why})`, {
      hint: `Stop it first: ${brand.command} gateway stop — or end the process, then undo again.`,
    });
  }
}
