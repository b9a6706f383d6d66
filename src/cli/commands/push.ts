/** push: snapshots of this machine's gateways. */
import { argumentList, flag, listOption, textOption } from '../call.ts';
import { FerryError } from '../../base/errors.ts';
import { startCost } from '../cost.ts';
import { chooseInstalls, installsHere } from '../installs.ts';
import { pushInstalls } from '../push-installs.ts';
import { planPush } from '../push-plan.ts';
import { stateOf } from '../repositories.ts';
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
