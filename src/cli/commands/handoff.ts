/** handoff: this machine's gateway stops here, and one line of text lets another machine take it over. */
import { FerryError } from '../../base/errors.ts';
import { timeText } from '../../repository/objects.ts';
import { printLocation } from '../../store/location.ts';
import { flag, optionalArgument, textOption } from '../call.ts';
import { confirm } from '../confirm.ts';
import { startCost } from '../cost.ts';
import { cancel } from '../handoff/cancel.ts';
import { lifeOf } from '../handoff/expires.ts';
import { makeHandoff, type Made } from '../handoff/make.ts';
import { ticketPicture } from '../handoff/ticket-picture.ts';
import { ticketTarget } from '../handoff/ticket-target.ts';
import { chooseInstalls, installsHere } from '../installs.ts';
import { readerAt, stateOf } from '../places/repositories.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';
import type { Install } from '../../gateway/install/install.ts';

export async function runHandoff(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const name = optionalArgument(call, 0);
  const file = textOption(call, 'ticketFile');
  const expires = textOption(call, 'expires');
  if (flag(call, 'cancel')) {
    if (expires !== undefined || file !== undefined || flag(call, 'qr')) {
      throw new FerryError('usage', '--cancel goes with no other option of handoff');
    }
    session.settings.lock();
    return { summary: await cancel(session, name) };
  }
  const lifeMs = lifeOf(expires);
  const picture = ticketPicture(session, flag(call, 'qr'));
  const target = ticketTarget(session, file);
  const location = meantLocation(session);
  session.settings.lock();
  const machine = stateOf(session, location);
  if (!machine) throw notJoined(printLocation(location));
  const install = await onlyInstall(session, name, machine.machine);
  // First of all: without it the keys of what was pushed before cannot be had.
  const reader = await readerAt(session, location);
  await confirm(session, `Stop ${install.install} here, push its last change, and hand it over?`);
  const made = await makeHandoff(session, location, install, reader, lifeMs);
  sayNext(session, install.install, made);
  picture(made.offer.ticket);
  target(made.offer.ticket);
  const { offer, pushed } = made;
  return {
    summary: {
      verb: 'handoff',
      install: install.install,
      repository: printLocation(location),
      snapshot: pushed.id,
      endsAt: timeText(offer.endsAtMs),
      ticketFile: file ?? null,
      ticketCharacters: offer.ticket.length,
      grantBytes: offer.grantBytes,
      packs: offer.packs,
      serviceFenced: made.isFenced,
      bytesStored: pushed.bytesStored,
      ...costUntilNow([reader.store]),
    },
  };
}

async function onlyInstall(
  session: Session,
  name: string | undefined,
  machine: string,
): Promise<Install> {
  const here = await installsHere(session, 'agents');
  const chosen = chooseInstalls(session, here, name === undefined ? [] : [name], [machine]);
  const [only, ...more] = chosen;
  if (only && more.length === 0) return only;
  const names = chosen.map(({ install }) => install).join(', ');
  throw new FerryError('install-ambiguous', `there are several installs here: ${names}`, {
    hint: 'Name the one that is meant: stateferry handoff INSTALL',
  });
}

function notJoined(location: string): FerryError {
  return new FerryError('not-joined', `this machine has not joined the repository in ${location}`, {
    hint: `stateferry join '${location}' (or init, when there is none yet)`,
  });
}

function sayNext(session: Session, install: string, { offer, isFenced }: Made): void {
  const until = timeText(offer.endsAtMs);
  const service = isFenced ? 'its service does not start it any more' : 'it has no service here';
  session.emit({
    type: 'notice',
    code: 'handed-off',
    message: `${install} is handed off: its gateway is stopped, and ${service}`,
    hint:
      'Do not start it here by hand, which nothing can prevent; ' +
      `stateferry handoff ${install} --cancel takes it back.`,
  });
  session.emit({
    type: 'notice',
    code: 'ticket-next',
    message: `the ticket is good for one machine, until ${until}; who has it can read this install`,
    hint: 'On the new machine: stateferry pull - and paste the ticket. stateferry status here shows how it stands.',
  });
}
