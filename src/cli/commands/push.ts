/** push: snapshots of this machine's gateways. */
import { argumentList, flag, listOption, textOption } from '../call.ts';
import { FerryError } from '../../base/errors.ts';
import type { Install } from '../../gateway/install/install.ts';
import { startCost } from '../cost.ts';
import { keptHandoffs } from '../handoff/kept.ts';
import { chooseInstalls, installsHere } from '../installs.ts';
import { pushInstalls } from '../push/push-installs.ts';
import { planPush } from '../push/push-plan.ts';
import { stateOf } from '../places/repositories.ts';
import { meantLocations, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runPush(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const locations = meantLocations(session);
  const names = argumentList(call, 0);
  if (names.length > 0 && flag(call, 'all')) {
    throw new FerryError('usage', '--all and named installs exclude each other');
  }
  const wishes = {
    include: listOption(call, 'include'),
    exclude: listOption(call, 'exclude'),
    label: textOption(call, 'label'),
  };
  const machines = locations.flatMap((one) => stateOf(session, one)?.machine ?? []);
  if (!flag(call, 'dryRun')) session.settings.lock();
  // Its commands write into the state dir, which a dry run leaves alone.
  const found = await installsHere(session, flag(call, 'dryRun') ? 'remembered' : 'agents');
  const installs = chooseInstalls(session, found, names, machines);
  noteHandedOff(session, installs);
  if (flag(call, 'dryRun')) {
    const plan = await planPush(session, locations, installs, wishes);
    return { summary: { verb: 'push', dryRun: true, snapshots: [], plan } };
  }
  const { snapshots, failed, missing, stores, exit } = await pushInstalls(
    session,
    locations,
    installs,
    wishes,
  );
  return { summary: { verb: 'push', snapshots, failed, missing, ...costUntilNow(stores) }, exit };
}

/** It may still be worth keeping, but nobody shall take it for the one that lives on. */
function noteHandedOff(session: Session, installs: readonly Install[]): void {
  const handedOff = new Map(keptHandoffs(session).map(({ handoff }) => [handoff.install, handoff]));
  for (const { install } of installs) {
    const handoff = handedOff.get(install);
    if (!handoff?.offer) continue;
    const { taken } = handoff.offer;
    const to = taken === undefined ? '' : ` to ${taken.machine}`;
    session.emit({
      type: 'notice',
      code: 'handed-off-before',
      message: `${install} was handed off${to} at ${handoff.time}: this is the copy that stayed behind`,
      hint: `stateferry status shows how it stands; stateferry handoff ${install} --cancel takes it back.`,
    });
  }
}
