/** The gateway of the old machine is stopped and fenced; each step stands in the settings before it is taken. */
import type { Install } from '../../gateway/install/install.ts';
import { putBackUp } from '../../gateway/running/at-hand.ts';
import { findRunning, stopGateway, type StoppedGateway } from '../../gateway/running/control.ts';
import { liftFence, planFence, raiseFence } from '../../gateway/services/fence.ts';
import type { Session } from '../session.ts';
import type { Begun } from './begun.ts';
import { fenceOf, fenceRequest, keptFence, requireDown, type OldGateway } from './gateway.ts';

export type OldInstall = {
  readonly session: Session;
  readonly install: Install;
  readonly gateway: OldGateway;
  readonly begun: Begun;
};

/** Answers what takes everything back that this handoff, or an earlier run that was killed, had begun. */
export async function stopOld(old: OldInstall): Promise<() => Promise<void>> {
  const { session, gateway, begun } = old;
  const { signal } = session;
  const { atHand, control } = gateway;
  const found = await findRunning(atHand, signal);
  begun.keep(found ? { stopped: { by: 'signal', port: found.port } } : {});
  const stopped = await stopGateway(atHand, control, signal).catch((error: unknown) => {
    begun.forget();
    throw error;
  });
  if (stopped) begun.keep({ stopped: { by: stopped.by, port: stopped.port } });
  return () => takeBack(old, stopped);
}

/** Nothing that ended the rest must end this. */
async function takeBack(
  { session, install, gateway, begun }: OldInstall,
  stopped: StoppedGateway | undefined,
): Promise<void> {
  if (begun.fence) {
    const { signal } = new AbortController();
    const request = fenceRequest(session, install);
    await liftFence(fenceOf(begun.fence, install), request, gateway.fencing, signal);
  }
  const was = stopped ?? (begun.stopped && { ...begun.stopped, environment: undefined });
  if (was) await putBackUp(was, gateway.atHand, gateway.control);
  begun.drop();
}

/** @throws gateway-unstoppable: somebody started it again while its last change was pushed */
export async function fenceOld({ session, install, gateway, begun }: OldInstall): Promise<void> {
  const request = fenceRequest(session, install);
  const { fencing } = gateway;
  const { signal } = session;
  const planned = begun.fence
    ? fenceOf(begun.fence, install)
    : await planFence(install.service, request, fencing, signal);
  begun.keep({ fence: keptFence(planned) });
  await raiseFence(planned, request, fencing, signal);
  await requireDown(gateway, signal);
}
