/** Lists of snapshots, as much of them as what is at hand opens. */
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { readHistory, type History } from '../../repository/history.ts';
import type { ReaderRepository, WriterRepository } from '../../repository/open.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import type { Location } from '../../store/location.ts';
import {
  lackOf,
  hiddenRevocations,
  lackProblems,
  rememberSeen,
  sayLack,
  type Lack,
  type LackProblem,
} from './history.ts';
import { lastDrillOf } from '../keeping/last-drill.ts';
import type { SnapshotLine } from '../output/summary.ts';
import type { LastDrill } from '../output/keeping/drill-summary.ts';
import { readerAt, stateOf, writerAt } from '../places/repositories.ts';
import { secretIfGiven, type Session } from '../session.ts';

export type Listing = Lack & {
  readonly snapshots: readonly OpenedCover[];
  readonly ownOnly: boolean;
  readonly lastDrill: LastDrill | null;
};

/** With a secret all of them; without one, on a machine that joined, its own. */
export async function listFor(session: Session, location: Location): Promise<Listing> {
  const { repository, ownOnly } = await openForListing(session, location);
  const history = await historyAt(session, location, repository, session.emit);
  sayLack(session, history.lack);
  const { snapshots, lack } = history;
  return { snapshots, ownOnly, ...lack, lastDrill: lastDrillOf(history) };
}

export type Opened = {
  readonly repository: ReaderRepository | WriterRepository;
  readonly ownOnly: boolean;
};

/** As a reader when there is a secret, else as the machine that writes, and says so. */
export async function openForListing(session: Session, location: Location): Promise<Opened> {
  const given = await secretIfGiven(session);
  const state = stateOf(session, location);
  if (given !== undefined || !state) {
    return { repository: await readerAt(session, location, given), ownOnly: false };
  }
  const repository = await writerAt(session, location);
  session.emit({
    type: 'notice',
    code: 'own-only',
    message: `without the passphrase only what this machine ("${state.machine}") pushed can be seen`,
    hint: 'Give --passphrase-file FILE or --recovery-file FILE to see all of it.',
  });
  return { repository, ownOnly: true };
}

/** Held against what this machine has seen; what is new to it is remembered. */
export async function historyAt(
  session: Session,
  location: Location,
  repository: Opened['repository'],
  emit: Emit,
): Promise<History & { readonly lack: Lack }> {
  const history = await readHistory(repository, emit, session.signal);
  const lack = lackOf(stateOf(session, location), repository, history);
  rememberSeen(session, location, history.snapshots);
  return { ...history, lack };
}

/** For a check: what is missing, and records that explain nothing; but for what it has named already. */
export async function historyProblems(
  session: Session,
  location: Location,
  repository: Opened['repository'],
  named: readonly LackProblem[],
): Promise<LackProblem[]> {
  const heard: LackProblem[] = [];
  const { lack } = await historyAt(session, location, repository, (event) => {
    if (event.type !== 'problem') return;
    heard.push({ object: event.path, code: event.code, message: event.message });
  });
  const known = new Set(named.map(({ object }) => object));
  const all = [...heard, ...lackProblems(lack), ...hiddenRevocations(repository)];
  return all.filter(({ object }) => !known.has(object));
}

export function snapshotLine({ id, machine, cover }: OpenedCover): SnapshotLine {
  const { time, install, sequence, files, bytes, label } = cover;
  return { id, time, install, machine, sequence, files, bytes, label };
}

/** `brand[:profile][@machine]`; undefined: every one. */
function isOfInstall({ cover, machine }: OpenedCover, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  const [name = '', at] = wanted.split('@');
  const plain = (install: string): string => install.replace(/:default$/, '');
  return plain(cover.install) === plain(name) && (at ?? machine) === machine;
}

/** Those of one install, when one is named. @throws install-not-found when there is none of it */
export function ofInstall(
  snapshots: readonly OpenedCover[],
  wanted: string | undefined,
): readonly OpenedCover[] {
  const found = snapshots.filter((one) => isOfInstall(one, wanted));
  if (wanted === undefined || found.length > 0) return found;
  throw new FerryError('install-not-found', `no snapshot is of ${wanted}`, {
    hint: 'stateferry snapshots lists what there is; installs are named brand[:profile][@machine].',
  });
}
