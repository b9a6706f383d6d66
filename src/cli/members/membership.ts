/** What `init` and `join` leave in the settings, and what they say about credentials. */
import type { MachineState } from '../../repository/machine.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { areFromEnvironmentOnly } from '../../settings/credentials.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { withLandedBefore } from '../pull/landed.ts';
import { machineName } from './machine-name.ts';
import type { Newcomer } from '../output/summary.ts';
import { stateOf } from '../places/repositories.ts';
import { policyFor } from '../roles/policy.ts';
import type { Session } from '../session.ts';

/** The first repository becomes the default. What was seen of the same repository before is not forgotten. */
export function rememberMachine(session: Session, location: Location, machine: MachineState): void {
  const printed = printLocation(location);
  session.settings.updateRepository(printed, ({ location: place, machine: before }) => {
    const seen = before?.repository === machine.repository ? before : undefined;
    const revoked = seen?.revoked && { revoked: seen.revoked };
    const highWater = { ...seen?.highWater, ...machine.highWater };
    const joined = withLandedBefore(session, { ...machine, ...revoked, highWater });
    return { location: place, machine: joined };
  });
  session.settings.update((data) => ({
    ...data,
    defaultRepository: data.defaultRepository ?? printed,
  }));
}

/** Who writes there now, and what its own key has to be allowed. */
export function newcomerAt(location: Location, { writer }: MachineState): Newcomer {
  if (location.kind === 'folder') return { writer: writer.id, policy: null };
  return {
    writer: writer.id,
    policy: policyFor({ role: 'writer', ...location, writer: writer.id }),
  };
}

/** After a pull: the command that keeps the backups going from here. */
export function joinCommand(session: Session, location: Location): string | null {
  const printed = printLocation(location);
  if (session.settings.repository(printed)?.machine) return null;
  return `stateferry join '${printed}'`;
}

export type Member = {
  /** As the settings know it: the place that is meant may have been spelled in another way. */
  readonly location: string;
  readonly machine: string;
};

/** What this machine is there, and may go on being: whoever types join twice seldom means a second one. */
export function memberBefore(
  session: Session,
  location: Location,
  { id, writers }: ReaderRepository,
): Member | undefined {
  const printed = printLocation(location);
  const members = session.settings.data.repositories.flatMap((known) => {
    const { machine: state } = known;
    if (state?.repository !== id || state.revoked) return [];
    const record = [...writers.values()].find((one) => one.id === state.writer.id);
    return record && !record.revoked ? [{ location: known.location, machine: state.machine }] : [];
  });
  return members.find((one) => one.location === printed) ?? members[0];
}

/** The names of the machines that write there, but for this one's own. */
export function otherMachines(
  session: Session,
  location: Location,
  { writers }: ReaderRepository,
): ReadonlySet<string> {
  const own = stateOf(session, location)?.writer.id;
  return new Set([...writers.values()].filter(({ id }) => id !== own).map((one) => one.machine));
}

/** A name that another machine has or had: said, because installs are told apart by it. */
export function noteName(
  session: Session,
  machine: string,
  typed: string | undefined,
  others: ReadonlySet<string>,
): void {
  const usual = machineName(typed);
  if (!others.has(usual)) return;
  session.emit({
    type: 'notice',
    code: 'machine-name-taken',
    message:
      typed === undefined
        ? `a machine named "${usual}" is in the repository already; this one is "${machine}"`
        : `a machine named "${usual}" is in the repository already: their snapshots are listed as one machine's`,
    hint: 'Another name can be given to it: stateferry join LOCATION --machine NAME',
  });
}

export function noteCredentials(session: Session, location: Location): void {
  if (location.kind !== 's3') return;
  if (!areFromEnvironmentOnly(session.environment, location.profile)) return;
  session.emit({
    type: 'notice',
    code: 'credentials-from-environment',
    message:
      "the bucket's credentials come from this shell's environment only; a timer will not have them",
    hint: 'Put them into ~/.aws/credentials, and name the profile with --aws-profile if it is not the default one.',
  });
}
