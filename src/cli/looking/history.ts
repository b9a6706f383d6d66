/** What this machine has seen of a repository, held against what the repository shows now. */
import { FerryError } from '../../base/errors.ts';
import type { HighWaterMark, MachineState } from '../../repository/machine.ts';
import type { ReaderRepository, WriterRepository } from '../../repository/open.ts';
import { findHoles, findRollbacks, readHistory, type History } from '../../repository/history.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { HoleLine, MissingSnapshot } from '../output/push/summary.ts';
import { stateOf } from '../places/repositories.ts';
import { PASSING_FAILURES } from '../members/revocations-seen.ts';
import type { Session } from '../session.ts';

/** What was deleted with `forget` has a record that says so. */
export const ROLLBACK_HINT =
  'Somebody may be showing an old state of it, or have deleted snapshots: check who may write there. ' +
  'If it is gone for good: stateferry forget --missing';

/** What the repository should show and does not. */
export type Lack = {
  /** Newer than anything it shows of the same machine. */
  readonly missing: readonly MissingSnapshot[];
  /** Older ones that no forget record explains. */
  readonly holes: readonly HoleLine[];
};

/** Only of the machines whose snapshots these are: a writer sees its own and no others. */
export function lackOf(
  state: MachineState | undefined,
  repository: ReaderRepository | WriterRepository,
  history: History,
): Lack {
  const own = 'identity' in repository ? undefined : repository.writer.id;
  const marks = Object.entries(marksOf(state)).filter(([id]) => id === (own ?? id));
  const asked = Object.fromEntries(marks);
  const missing = findRollbacks(history, asked).map(({ writer, seen, shown }) => ({
    writer,
    snapshot: seen.snapshot ?? null,
    time: seen.time,
    shown: shown?.time ?? null,
    ...(seen.drilledBy !== undefined && { drilledBy: seen.drilledBy }),
  }));
  return { missing, holes: findHoles(history) };
}

/** The newest that this machine has seen there of each writer. */
export const seenAt = (session: Session, location: Location): MachineState['highWater'] =>
  marksOf(stateOf(session, location));

const marksOf = (state: MachineState | undefined): MachineState['highWater'] =>
  withinRevocations(state?.highWater ?? {}, state?.revoked);

/** What a machine made after it was revoked is not missed, whoever had seen it. */
function withinRevocations(
  marks: MachineState['highWater'],
  revoked: MachineState['revoked'] = {},
): MachineState['highWater'] {
  const isAsked = ([writer, { sequence }]: [string, HighWaterMark]): boolean => {
    const end = revoked[writer];
    return !end || sequence <= (end.last?.sequence ?? 0);
  };
  return Object.fromEntries(Object.entries(marks).filter(isAsked));
}

export function missingText({ snapshot, time, shown, drilledBy }: MissingSnapshot): string {
  const newest = shown === null ? 'none at all of that machine' : `nothing newer than ${shown}`;
  const witness = drilledBy === undefined ? 'this machine' : `a drill on "${drilledBy}"`;
  const seen =
    snapshot === null
      ? `a forget record of ${time} speaks of newer ones than it names`
      : `${witness} has seen snapshot ${snapshot} of ${time}`;
  return `${seen}, and the repository shows ${newest}`;
}

export function holeText({ machine, first, last }: HoleLine): string {
  const what = first === last ? `number ${first}` : `numbers ${first} to ${last}`;
  return `${what} of the snapshots of ${machine} are not there, and no forget record says why`;
}

export const isWhole = ({ missing, holes }: Lack): boolean =>
  missing.length === 0 && holes.length === 0;

/** Each as a problem: by object, code and message. */
export function lackProblems({ missing, holes }: Lack): LackProblem[] {
  const code = 'history-rolled-back';
  return [
    ...missing.map((one) => ({ object: objectOf(one), code, message: missingText(one) })),
    ...holes.map((one) => ({ object: `snapshots/${one.writer}/`, code, message: holeText(one) })),
  ];
}

export type LackProblem = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
};

/** Records that were seen here and are gone; that was said when the repository was opened. */
export function hiddenRevocations(repository: ReaderRepository | WriterRepository): LackProblem[] {
  const revoked =
    'identity' in repository
      ? [...repository.writers.values()].flatMap((writer) => writer.revoked ?? [])
      : [repository.revoked].flatMap((one) => one ?? []);
  return revoked
    .filter(({ digests }) => digests === undefined)
    .map(({ writer, time }) => ({
      object: `revocations/${writer}`,
      code: 'history-rolled-back',
      message: `the revocation of ${time} is gone; it stays in force here`,
    }));
}

export function sayLack(session: Session, lack: Lack): void {
  for (const { object, code, message } of lackProblems(lack)) {
    session.emit({ type: 'problem', path: object, code, message });
  }
}

/** Before a push adds to what may be an old state: afterwards nobody could tell any more. */
export async function missingBeforePush(
  session: Session,
  repository: WriterRepository,
): Promise<readonly MissingSnapshot[]> {
  const { state } = repository.memory;
  const seen = state.highWater[repository.writer.id];
  // Most pushes ask no more than this.
  if (!seen) return [];
  const name = objectOf({ writer: repository.writer.id, snapshot: seen.snapshot });
  if (await repository.store.stat(name, session.signal)) return [];
  const history = await readHistory(repository, session.emit, session.signal);
  const lack = lackOf(state, repository, history);
  sayLack(session, lack);
  return lack.missing;
}

const objectOf = (one: Pick<MissingSnapshot, 'writer' | 'snapshot'>): string =>
  `snapshots/${one.writer}/${one.snapshot ?? ''}`;

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
