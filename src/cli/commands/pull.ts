/** pull: a snapshot onto this machine, or below a directory. */
import { bytePathFromText } from '../../base/byte-path.ts';
import { assert, FerryError } from '../../base/errors.ts';
import { shellWord } from '../../base/shell-word.ts';
import { parseIdentity } from '../../gateway/install/identity.ts';
import { parseOwnRules } from '../../gateway/relocate/own-rules.ts';
import { knownBrands } from '../../settings/brands-file.ts';
import { flag, listOption, optionalArgument, textOption } from '../call.ts';
import { startCost } from '../cost.ts';
import { shortId } from '../output/text/words.ts';
import { commandAgain } from '../pull/command-again.ts';
import { pullHere, rememberPull, type PullWishes } from '../pull/pull-install.ts';
import { pullBelow } from '../pull/pull-into.ts';
import { pullWhole, type Pulling } from '../pull/pull-whole.ts';
import { pulledIntoSummary, pulledSummary } from '../pull/pull-summary.ts';
import { guardHistory, openChosen, openMachine, openReading } from '../looking/reading.ts';
import { isTicketMeant, readTicket, takeOver } from '../handoff/take-over.ts';
import { joinCommand } from '../members/membership.ts';
import { printLocation } from '../../store/location.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runPull(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  refuseContradictions(call);
  const into = textOption(call, 'into');
  const wishes = wishesOf(call, session);
  const typed = optionalArgument(call, 0);
  if (isTicketMeant(typed)) {
    refuseBesideTicket(call);
    const ticket = await readTicket(session, typed);
    session.settings.lock();
    return takeOver(session, ticket, wishes, costUntilNow);
  }
  const location = meantLocation(session);
  session.settings.lock();
  const reading = await openReading(session);
  await guardHistory(session, location, reading);
  const { repository } = reading;
  const install = textOption(call, 'install');
  const { dryRun } = wishes;
  const snapshots = flag(call, 'all')
    ? await openMachine(session, reading, install)
    : [await openChosen(session, reading, typed, install)];
  if (into !== undefined) {
    const [snapshot] = snapshots;
    assert(snapshot, 'one snapshot was chosen');
    const only = listOption(call, 'only');
    const pulled = await pullBelow(session, repository, snapshot, { into, only, dryRun });
    return pulledIntoSummary(snapshot, pulled, dryRun, costUntilNow([repository.store]));
  }
  const perform: Pulling['perform'] = (whole, onDamage) =>
    pullHere(session, repository, whole, wishes, { onDamage });
  const pulled = await pullWhole({ session, call, reading, perform }, snapshots);
  const isInPlace = pulled.every(({ landed, undone }) => landed !== undefined && !undone);
  if (isInPlace) rememberPull(session, printLocation(location), pulled);
  const join = isInPlace ? joinCommand(session, location) : null;
  return pulledSummary(pulled, join, costUntilNow([repository.store]));
}

/** @throws usage */
function refuseContradictions(call: Call): void {
  const into = textOption(call, 'into');
  if (into === undefined && listOption(call, 'only').length > 0) {
    throw new FerryError(
      'usage',
      '--only goes with --into DIR: an install is placed whole or not',
      { hint: "Name a folder too: stateferry pull --into DIR --only 'state/agents/main/**'" },
    );
  }
  const isMapped = textOption(call, 'as') !== undefined || listOption(call, 'map').length > 0;
  if (into !== undefined && isMapped) {
    throw new FerryError('usage', '--into only restores files: nothing is mapped or renamed', {
      hint: 'Leave out --as and --map, or leave out --into.',
    });
  }
  if (!flag(call, 'all')) return;
  const other = [
    ...(into === undefined ? [] : ['--into']),
    ...(textOption(call, 'as') === undefined ? [] : ['--as']),
    ...(optionalArgument(call, 0) === undefined ? [] : ['one snapshot']),
  ];
  if (other.length === 0) return;
  throw new FerryError('usage', `--all does not go with ${other.join(' and ')}`, {
    hint: 'It lands the newest snapshot of every install of a machine, each under its own name.',
  });
}

/** @throws usage */
function refuseBesideTicket(call: Call): void {
  const other = [
    ...(textOption(call, 'into') === undefined ? [] : ['--into']),
    ...(textOption(call, 'install') === undefined ? [] : ['--install']),
  ];
  if (other.length === 0) return;
  const message = `a ticket moves one install whole: ${other.join(' and ')} does not go with it`;
  throw new FerryError('usage', message, {
    hint: 'Leave it out; or pull with the passphrase: stateferry pull --into DIR -r LOCATION',
  });
}

/** Places and names that cannot be are refused before anything is fetched. */
function wishesOf(call: Call, session: Session): PullWishes {
  const { environment, places } = session;
  const as = textOption(call, 'as');
  return {
    dryRun: flag(call, 'dryRun'),
    doctor: call.options['doctor'] !== false,
    restart: call.options['restart'] !== false,
    undoOnFailure: flag(call, 'undoOnFailure'),
    own: parseOwnRules(listOption(call, 'map'), environment.home),
    ...(as !== undefined && { as: parseIdentity(as, knownBrands(places)) }),
    again: (snapshots) => againCommand(call, session, snapshots),
  };
}

/**
 * Typed some time later, in any folder: what was `latest` may not be that any more. A ticket is nothing to be kept.
 */
function againCommand(
  call: Call,
  session: Session,
  [only, ...more]: readonly SnapshotReader[],
): string {
  if (isTicketMeant(optionalArgument(call, 0))) return commandAgain('pull', ['-'], call, NOT_KEPT);
  const location = shellWord(bytePathFromText(printLocation(meantLocation(session))));
  const isOne = only !== undefined && more.length === 0;
  const which = isOne ? [shortId(only.cover.id)] : [];
  const without = [...(isOne ? ['install', 'all'] : []), ...OF_THE_LOCATION, ...NOT_KEPT];
  return commandAgain('pull', [...which, '-r', location], call, without);
}

const OF_THE_LOCATION = ['repository', 'endpoint', 'region', 'addressing', 'awsProfile'];
/** Where secrets come from, and what was agreed to. */
const NOT_KEPT = ['passphraseFile', 'passphraseCommand', 'recoveryFile', 'readerKey', 'yes'];
