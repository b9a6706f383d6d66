/** What this machine has seen of revocations is kept: a bucket that hides a record takes nothing back. */
import { FerryError } from '../../base/errors.ts';
import type { MachineState } from '../../repository/machine.ts';
import { markOf, type Revocation } from '../../repository/revocations.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { Session } from '../session.ts';

export function rememberRevocations(
  session: Session,
  location: Location,
  revocations: readonly Revocation[],
): void {
  const printed = printLocation(location);
  const state = session.settings.repository(printed)?.machine;
  if (!state || unknownTo(state, revocations).length === 0) return;
  try {
    session.settings.updateRepository(printed, (one) => {
      if (!one.machine) return one;
      const { machine } = one;
      const revoked = { ...machine.revoked };
      for (const each of unknownTo(machine, revocations)) revoked[each.writer] = markOf(each);
      return { ...one, machine: { ...machine, revoked } };
    });
  } catch (error) {
    // Another process is at work, or the settings cannot be written: the next look at the repository keeps it.
    if (!(error instanceof FerryError) || !PASSING_FAILURES.has(error.code)) throw error;
  }
}

export const PASSING_FAILURES: ReadonlySet<string> = new Set([
  'settings-locked',
  'file-write',
  'no-space',
]);

/** What one says that is remembered already is what its record said, or less where that is gone. */
const unknownTo = (
  { revoked = {} }: MachineState,
  revocations: readonly Revocation[],
): readonly Revocation[] => revocations.filter(({ writer }) => !(writer in revoked));
