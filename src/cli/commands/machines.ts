/** machines: who writes to the repository, and taking that away from one. */
import { FerryError } from '../../base/errors.ts';
import { listMachines } from '../../maintenance/machines.ts';
import { printLocation } from '../../store/location.ts';
import { argumentList, textOption } from '../call.ts';
import { openReading } from '../looking/reading.ts';
import { stateOf } from '../places/repositories.ts';
import { revoke } from '../members/revoking.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runMachines(call: Call, session: Session): Promise<Report> {
  const name = nameToRevoke(argumentList(call, 0));
  const last = textOption(call, 'last');
  if (name === undefined && last !== undefined) {
    throw new FerryError('usage', '--last goes with machines revoke NAME');
  }
  const location = meantLocation(session);
  const reading = await openReading(session);
  const done = name === undefined ? undefined : await revoke(session, reading, { name, last });
  const { repository, snapshots } = done?.reading ?? reading;
  const own = stateOf(session, location)?.writer.id;
  const machines = await listMachines(repository, snapshots, session.signal);
  return {
    summary: {
      verb: 'machines',
      repository: printLocation(location),
      revoked: done?.revoked ?? null,
      machines: machines.map((one) => ({ ...one, isThis: one.id === own })),
    },
  };
}

/** undefined: they are only listed. */
function nameToRevoke([action = 'list', name, ...more]: readonly string[]): string | undefined {
  if (action === 'list' && name === undefined) return undefined;
  if (action === 'revoke' && name !== undefined && more.length === 0) return name;
  throw new FerryError(
    'usage',
    `machines ${[action, name, ...more].join(' ').trim()}: a word is missing, or one too many`,
    {
      hint: 'machines list | revoke NAME',
    },
  );
}
