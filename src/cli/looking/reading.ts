/** One snapshot as a person names it, opened for reading. */
import type { Emit } from '../../base/events.ts';
import { parseAddress } from '../../browse/address.ts';
import type { WriterId } from '../../format/names.ts';
import { forgottenOf } from '../../repository/history.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { chooseSnapshot, machinesOf, newestOfMachine } from '../../repository/snapshot-list.ts';
import { openSnapshot, type SnapshotReader } from '../../repository/snapshot-reader.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { FerryError } from '../../base/errors.ts';
import type { Location } from '../../store/location.ts';
import { isYes } from '../confirm.ts';
import { missingText, ROLLBACK_HINT, sayLack } from './history.ts';
import { historyAt } from './listing.ts';
import type { MissingSnapshot } from '../output/push/summary.ts';
import { printableLine } from '../output/text/printable.ts';
import { readerAt, stateOf } from '../places/repositories.ts';
import { meantLocation, type Session } from '../session.ts';

export type Reading = {
  readonly repository: ReaderRepository;
  readonly snapshots: readonly OpenedCover[];
  /** What this machine has seen there, and the repository does not show any more. */
  readonly missing: readonly MissingSnapshot[];
  /** The numbers of each writer that were deleted on purpose. */
  readonly forgotten: ReadonlyMap<WriterId, ReadonlySet<number>>;
  /** Names of snapshots that cannot be read or believed, so that nobody knows when they were made. */
  readonly unreadable: readonly string[];
};

export async function openReading(session: Session): Promise<Reading> {
  const location = meantLocation(session);
  const repository = await readerAt(session, location);
  const unreadable: string[] = [];
  const hear: Emit = (event) => {
    if (event.type === 'problem') unreadable.push(event.path);
    session.emit(event);
  };
  const { snapshots, records, lack } = await historyAt(session, location, repository, hear);
  sayLack(session, lack);
  const forgotten = new Map(
    [...forgottenOf(records)].map(([writer, own]) => [writer, new Set(own.values())]),
  );
  return { repository, snapshots, forgotten, missing: lack.missing, unreadable };
}

/** The snapshot that is meant, opened. */
export async function openChosen(
  session: Session,
  reading: Reading,
  wanted: string | undefined,
  install: string | undefined,
): Promise<SnapshotReader> {
  const chosen = await chosenCover(session, reading, wanted, install);
  return openSnapshot(reading.repository, chosen, session.emit, session.signal);
}

/** The snapshot that is meant; on a terminal the install is asked for when there are several. */
export async function chosenCover(
  session: Session,
  { snapshots }: Pick<Reading, 'snapshots'>,
  wanted: string | undefined,
  install: string | undefined,
): Promise<OpenedCover> {
  const meant = install ?? (await askInstall(session, snapshots, wanted));
  return chooseSnapshot(snapshots, wanted, meant);
}

async function askInstall(
  session: Session,
  snapshots: readonly OpenedCover[],
  wanted: string | undefined,
): Promise<string | undefined> {
  const isById = wanted !== undefined && !wanted.startsWith('latest');
  const installs = [
    ...new Set(snapshots.map(({ cover, machine }) => `${cover.install}@${machine}`)),
  ].toSorted();
  if (isById || installs.length < 2) return undefined;
  return await askWhich(session, 'Which install?', installs);
}

/** Undefined where nobody can answer. */
async function askWhich(
  { terminal, options, signal }: Session,
  question: string,
  choices: readonly string[],
): Promise<string | undefined> {
  if (!terminal.isThere || options.json === true) return undefined;
  const list = choices.map((one, at) => `  ${at + 1}  ${printableLine(one)}`).join('\n');
  const answer = await terminal.ask(`${question}\n${list}\nNumber or name: `, signal);
  return choices[Number(answer) - 1] ?? answer.trim();
}

/** The newest snapshot of every install of one machine, opened; on a terminal the machine is asked for. */
export async function openMachine(
  session: Session,
  { repository, snapshots }: Reading,
  install: string | undefined,
): Promise<SnapshotReader[]> {
  if (install !== undefined && !/^@./.test(install)) {
    throw new FerryError('usage', `--all pulls every install of a machine, not ${install}`, {
      hint: 'Name the machine, if there are several: --install @MACHINE. Or leave out --all.',
    });
  }
  const machine = install?.slice(1) ?? (await askMachine(session, machinesOf(snapshots)));
  const opened: SnapshotReader[] = [];
  for (const chosen of newestOfMachine(snapshots, machine)) {
    opened.push(await openSnapshot(repository, chosen, session.emit, session.signal));
  }
  return opened;
}

const askMachine = async (
  session: Session,
  machines: readonly string[],
): Promise<string | undefined> =>
  machines.length < 2 ? undefined : await askWhich(session, 'Which machine?', machines);

/**
 * Before something is put in place: a repository that shows less than this machine has seen needs a yes; a machine
 * that has seen nothing is told what it cannot know.
 */
export async function guardHistory(
  session: Session,
  location: Location,
  { snapshots, missing }: Reading,
): Promise<void> {
  if (!stateOf(session, location)) return sayNewest(session, snapshots);
  const { options, terminal, signal } = session;
  const [first] = missing;
  if (!first || options.yes === true) return;
  if (terminal.isThere && options.json !== true) {
    const answer = await terminal.ask('Go on with what it shows? [y/N] ', signal);
    if (isYes(answer)) return;
  }
  throw new FerryError('history-rolled-back', missingText(first), {
    hint: `${ROLLBACK_HINT} --yes goes on all the same.`,
  });
}

function sayNewest(session: Session, snapshots: readonly OpenedCover[]): void {
  const newest = new Map(snapshots.map(({ machine, cover }) => [machine, cover.time]));
  if (newest.size === 0) return;
  const each = [...newest].map(([machine, time]) => `${machine}: ${time}`).join(', ');
  session.emit({
    type: 'notice',
    code: 'newest-shown',
    message: `the newest snapshot that the repository shows, per machine: ${each}`,
    hint: 'This machine has not seen the repository before, so newer ones could be hidden from it.',
  });
}

export type Addressed = { readonly snapshot: SnapshotReader; readonly path: string | undefined };

/** `SNAPSHOT[:PATH]`; an empty SNAPSHOT is the latest. */
export async function openAddress(
  session: Session,
  { repository, snapshots }: Reading,
  typed: string,
  install: string | undefined,
): Promise<Addressed> {
  const address = parseAddress(typed);
  const wanted = address.snapshot === '' ? undefined : address.snapshot;
  const chosen = chooseSnapshot(snapshots, wanted, install);
  const snapshot = await openSnapshot(repository, chosen, session.emit, session.signal);
  return { snapshot, path: address.path };
}
