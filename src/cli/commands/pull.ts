/** pull: a snapshot onto this machine, or below a directory. */
import { FerryError } from '../../base/errors.ts';
import { parseIdentity } from '../../gateway/identity.ts';
import { parseOwnRules } from '../../gateway/own-rules.ts';
import { knownBrands } from '../../settings/brands-file.ts';
import { flag, listOption, optionalArgument, textOption } from '../call.ts';
import { startCost } from '../cost.ts';
import { pullHere, rememberPull, type PullWishes } from '../pull-install.ts';
import { pullBelow } from '../pull-into.ts';
import { pulledIntoSummary, pulledSummary } from '../pull-summary.ts';
import { guardHistory, openChosen, openReading } from '../reading.ts';
import { joinCommand } from '../membership.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runPull(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const into = textOption(call, 'into');
  const only = listOption(call, 'only');
  if (only.length > 0 && into === undefined) {
    throw new FerryError(
      'usage',
      '--only goes with --into DIR: an install is placed whole or not',
      {
        hint: "Name a folder too: stateferry pull --into DIR --only 'state/agents/main/**'",
      },
    );
  }
  if (into !== undefined && (textOption(call, 'as') ?? listOption(call, 'map')[0]) !== undefined) {
    throw new FerryError('usage', '--into only restores files: nothing is mapped or renamed', {
      hint: 'Leave out --as and --map, or leave out --into.',
    });
  }
  const location = meantLocation(session);
  session.settings.lock();
  const reading = await openReading(session);
  await guardHistory(session, location, reading);
  const { repository } = reading;
  const install = textOption(call, 'install');
  const snapshot = await openChosen(session, reading, optionalArgument(call, 0), install);
  const dryRun = flag(call, 'dryRun');
  if (into !== undefined) {
    const pulled = await pullBelow(session, repository, snapshot, { into, only, dryRun });
    const cost = costUntilNow([repository.store]);
    return pulledIntoSummary(snapshot, pulled, dryRun, cost);
  }
  const pulled = await pullHere(session, repository, snapshot, {
    dryRun,
    doctor: call.options['doctor'] !== false,
    restart: call.options['restart'] !== false,
    ...placesOf(call, session),
    undoOnFailure: flag(call, 'undoOnFailure'),
  });
  if (pulled.landed && !pulled.undone) rememberPull(session, location, pulled);
  const join = pulled.landed && !pulled.undone ? joinCommand(session, location) : null;
  return pulledSummary(pulled, join, costUntilNow([repository.store]));
}

/** Refused before anything is fetched. */
function placesOf(call: Call, { environment, places }: Session): Pick<PullWishes, 'own' | 'as'> {
  const as = textOption(call, 'as');
  return {
    own: parseOwnRules(listOption(call, 'map'), environment.home),
    ...(as !== undefined && { as: parseIdentity(as, knownBrands(places)) }),
  };
}
