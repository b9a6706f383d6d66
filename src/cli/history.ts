/** What this machine has seen of a repository, held against what the repository shows now. */
import { FerryError } from '../base/errors.ts';
import type { HighWaterMark, MachineState } from '../repository/machine.ts';
import type { ReaderRepository, WriterRepository } from '../repository/open.ts';
import { findRollbacks, listSnapshots } from '../repository/snapshot-list.ts';
import type { OpenedCover } from '../repository/snapshots.ts';
import { printLocation, type Location } from '../store/location.ts';
import type { MissingSnapshot } from './output/summary-push.ts';
import { stateOf } from './repositories.ts';
import { PASSING_FAILURES } from './revocations-seen.ts';
import type { Session } from './session.ts';

/** Who may write there, and nothing else, explains it: nothing of this version deletes snapshots. */
export const ROLLBACK_HINT =
  'Somebody may be showing an old state of it, or have deleted snapshots: check who may write there.';

/** Only of the machines whose snapshots these are: a writer sees its own and no others. */
export function missingOf(
  state: MachineState,
  repository: ReaderRepository | WriterRepository,
  snapshots: readonly OpenedCover[],
): MissingSnapshot[] {
  const own = state.writer.id;
  const marks =
    'identity' in repository
      ? state.highWater
      : Object.fromEntries(Object.entries(state.highWater).filter(([writer]) => writer === own));
  return findRollbacks(snapshots, withinRevocations(marks, state)).map(
    ({ writer, seen, shown }) => ({
      writer,
      snapshot: seen.snapshot,
      time: seen.time,
      shown: shown?.time ?? null,
    }),
  );
}

/** What a machine made after it was revoked is not missed, whoever had seen it. */
function withinRevocations(
  marks: MachineState['highWater'],
  { revoked = {} }: MachineState,
): MachineState['highWater'] {
  const isAsked = ([writer, { sequence }]: [string, HighWaterMark]): boolean => {
    const end = revoked[writer];
    return !end || sequence <= (end.last?.sequence ?? 0);
  };
  return Object.fromEntries(Object.entries(marks).filter(isAsked));
}

export function missingText({ snapshot, time, shown }: MissingSnapshot): string {
  const newest = shown === null ? 'none at all of that machine' : `nothing newer than ${shown}`;
  return `this machine has seen snapshot ${snapshot} of ${time}, and the repository shows ${newest}`;
}

export function sayMissing(session: Session, missing: readonly MissingSnapshot[]): void {
  for (const one of missing) {
    session.emit({
      type: 'problem',
      path: objectOf(one),
      code: 'history-rolled-back',
      message: missingText(one),
    });
  }
}

/** For a check: what is missing, but for what it has named already. */
export async function missingProblems(
  session: Session,
  location: Location,
  repository: ReaderRepository | WriterRepository,
  named: readonly { readonly object: string }[],
): Promise<{ object: string; code: string; message: string }[]> {
  const state = stateOf(session, location);
  if (!state) return [];
  // Its own talk about them was heard a moment ago.
  const snapshots = await listSnapshots(repository, () => undefined, session.signal);
  const missing = missingOf(state, repository, snapshots);
  rememberSeen(session, location, snapshots);
  return missing
    .map((one) => ({
      object: objectOf(one),
      code: 'history-rolled-back',
      message: missingText(one),
    }))
    .filter(({ object }) => named.every((one) => one.object !== object));
}

/** Before a push adds to what may be an old state: afterwards nobody could tell any more. */
export async function missingBeforePush(
  session: Session,
  repository: WriterRepository,
): Promise<MissingSnapshot[]> {
  const { state } = repository.memory;
  const seen = state.highWater[repository.writer.id];
  // Most pushes ask no more than this.
  if (!seen) return [];
  const name = objectOf({ writer: repository.writer.id, snapshot: seen.snapshot });
  if (await repository.store.stat(name, session.signal)) return [];
  const snapshots = await listSnapshots(repository, session.emit, session.signal);
  const missing = missingOf(state, repository, snapshots);
  sayMissing(session, missing);
  return missing;
}

const objectOf = (one: Pick<MissingSnapshot, 'writer' | 'snapshot'>): string =>
  `snapshots/${one.writer}/${one.snapshot}`;

/** Keeps the newest of every other machine; this machine's own mark is moved by its pushes alone. */
export function rememberSeen(
  session: Session,
  location: Location,
  snapshots: readonly OpenedCover[],
): void {
  const state = stateOf(session, location);
  if (!state) return;
  const newer = newerMarks(state, snapshots);
  if (Object.keys(newer).length === 0) return;
  try {
    session.settings.updateRepository(printLocation(location), (one) => {
      if (!one.machine) return one;
      // What another process kept in the meantime stays.
      const highWater = { ...one.machine.highWater, ...newerMarks(one.machine, snapshots) };
      return { ...one, machine: { ...one.machine, highWater } };
    });
  } catch (error) {
    // A push is at work, or the settings cannot be written: the next look at the repository keeps it.
    if (!(error instanceof FerryError) || !PASSING_FAILURES.has(error.code)) throw error;
  }
}

function newerMarks(
  state: MachineState,
  snapshots: readonly OpenedCover[],
): MachineState['highWater'] {
  const newer: MachineState['highWater'] = {};
  for (const { writer, id, digest, cover } of snapshots) {
    const { sequence, time } = cover;
    const known = (newer[writer] ?? state.highWater[writer])?.sequence ?? -1;
    if (writer === state.writer.id || sequence <= known) continue;
    newer[writer] = { sequence, digest, snapshot: id, time };
  }
  return newer;
}
