/** join: lets this machine write to a repository that exists. */
import { joinRepository } from '../../repository/create.ts';
import { printLocation } from '../../store/location.ts';
import { argument, textOption } from '../call.ts';
import { confirm } from '../confirm.ts';
import { machineName, nameAmong } from '../members/machine-name.ts';
import {
  newcomerAt,
  noteCredentials,
  noteName,
  memberBefore,
  otherMachines,
  rememberMachine,
} from '../members/membership.ts';
import { probe, rememberProbe } from '../places/probing.ts';
import { readerAt } from '../places/repositories.ts';
import { locationFrom, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runJoin(call: Call, session: Session): Promise<Report> {
  const location = locationFrom(session, argument(call, 0));
  const printed = printLocation(location);
  const typed = textOption(call, 'machine');
  machineName(typed);
  session.settings.lock();
  const repository = await readerAt(session, location);
  const before = memberBefore(session, location, repository);
  if (before) {
    const there =
      before.location === printed
        ? 'there already'
        : `in that repository already, which it knows as ${before.location}`;
    const question = `This machine is "${before.machine}" ${there}. Make a new one of it, which uploads all anew?`;
    await confirm(session, question);
  }
  const others = otherMachines(session, location, repository);
  const machine = nameAmong(typed ?? before?.machine, others);
  noteName(session, machine, typed, others);
  const found = await probe(session, location);
  const { store, id, identity } = repository;
  const state = await joinRepository(store, id, identity, machine, session.random, session.signal);
  rememberMachine(session, location, state);
  rememberProbe(session, location, found);
  noteCredentials(session, location);
  return {
    summary: {
      verb: 'join',
      repository: printed,
      id,
      machine,
      isDefault: session.settings.data.defaultRepository === printed,
      ...newcomerAt(location, state),
    },
  };
}
