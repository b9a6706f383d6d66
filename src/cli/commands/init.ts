/** init: a repository in an empty place, this machine in it, and the recovery kit. */
import { createRepository, refuseExisting } from '../../repository/create.ts';
import { timeText } from '../../repository/objects.ts';
import { printLocation } from '../../store/location.ts';
import { portableLocation } from '../../store/portable-location.ts';
import { argument, textOption } from '../call.ts';
import { kitPage } from '../members/kit.ts';
import { kitTarget } from '../members/kit-target.ts';
import { lockBucket, lockWish, rememberLock } from '../keeping/locking.ts';
import { machineName } from '../members/machine-name.ts';
import { newcomerAt, noteCredentials, rememberMachine } from '../members/membership.ts';
import { probe, rememberProbe } from '../places/probing.ts';
import { storeAt } from '../places/repositories.ts';
import { locationFrom, passphraseForNew, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runInit(call: Call, session: Session): Promise<Report> {
  const location = locationFrom(session, argument(call, 0));
  const machine = machineName(textOption(call, 'machine'));
  const lock = lockWish(location, textOption(call, 'lock'));
  session.settings.lock();
  const kit = kitTarget(session, textOption(call, 'kit'));
  const askPassphrase = await passphraseForNew(session);
  const store = await storeAt(session, location, { createFolder: true });
  await refuseExisting(store, session.signal);
  const found = await probe(session, location);
  const passphrase = await askPassphrase();
  // Before anything is stored, so that the keys are locked too; never on account of somebody else's repository.
  if (lock) await lockBucket(session, lock);
  const anywhere = await portableLocation(location);
  const created = await createRepository(
    store,
    { passphrase, machine },
    session.random,
    ({ state, recoveryCode }) => {
      const time = timeText(session.clock.nowMs());
      const { repository } = state;
      kit.write(kitPage({ recoveryCode, location: anywhere, repository, time }));
      rememberMachine(session, location, state);
      return Promise.resolve();
    },
    session.signal,
  );
  rememberProbe(session, location, found);
  if (lock) rememberLock(session, lock);
  noteCredentials(session, location);
  const repository = printLocation(location);
  return {
    summary: {
      verb: 'init',
      repository,
      id: created.state.repository,
      machine,
      kit: textOption(call, 'kit') ?? null,
      lockDays: lock?.days ?? null,
      isDefault: session.settings.data.defaultRepository === repository,
      ...newcomerAt(location, created.state),
    },
  };
}
