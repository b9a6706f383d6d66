/** What `status` knows of each repository, and what of all that needs somebody. */
import { FerryError } from '../../base/errors.ts';
import type { Install } from '../../gateway/install/install.ts';
import { interruptedInstalls } from '../../pull/swap/journal.ts';
import { readHistory } from '../../repository/history.ts';
import { findLost, type Hole } from '../../repository/lost.ts';
import type { Revocation } from '../../repository/revocations.ts';
import { parseLocation } from '../../store/location.ts';
import { lockAttention } from '../keeping/locking.ts';
import { lackOf, lackProblems, ROLLBACK_HINT, type Lack } from './history.ts';
import { lastDrillOf } from '../keeping/last-drill.ts';
import { keptIn } from '../../pull/undo/kept.ts';
import { wayBack } from '../pull/way-back.ts';
import type { Attention, StatusSummary } from '../output/status/summary.ts';
import type { LastDrill } from '../output/keeping/drill-summary.ts';
import type { WayBack } from '../output/pull/summary.ts';
import { writerAt } from '../places/repositories.ts';
import { orRetired } from '../members/retired.ts';
import { journalsFolder } from '../../settings/places.ts';
import type { RepositorySettings } from '../../settings/schema.ts';
import type { Session } from '../session.ts';

export type RepositoryStatus = {
  readonly status: StatusSummary['repositories'][number];
  readonly settings: RepositorySettings;
  readonly failure: FerryError | undefined;
  readonly lack: Lack;
  /** This machine, there. */
  readonly revoked: Revocation | undefined;
};

export async function repositoryStatuses(session: Session): Promise<RepositoryStatus[]> {
  const { repositories, defaultRepository } = session.settings.data;
  const statuses: RepositoryStatus[] = [];
  for (const settings of repositories) {
    const looked = settings.machine ? await look(session, settings) : undefined;
    statuses.push({
      settings,
      failure: looked?.failure,
      lack: looked?.lack ?? NO_LACK,
      revoked: looked?.revoked,
      status: {
        location: settings.location,
        isDefault: settings.location === defaultRepository,
        joined: settings.machine !== undefined,
        machine: settings.machine?.machine ?? null,
        revoked: looked?.revoked?.time ?? null,
        lockDays: settings.lockDays ?? null,
        reachable: settings.machine !== undefined && looked?.failure === undefined,
        lastDrill: looked?.lastDrill ?? null,
        lost: looked?.lost ?? [],
        lastPush: Object.entries(settings.lastPush ?? {}).map(([install, pushed]) => {
          const { snapshot, time, files, bytes } = pushed;
          return { install, snapshot, time, files, bytes };
        }),
        lastCopy: settings.lastCopy ?? null,
      },
    });
  }
  return statuses;
}

type Looked = {
  readonly failure: FerryError | undefined;
  readonly lack: Lack;
  /** Of this machine, as the owner has accepted. */
  readonly lost: readonly Hole[];
  readonly lastDrill: LastDrill | null;
  readonly revoked: Revocation | undefined;
};

const NO_LACK: Lack = { missing: [], holes: [] };

/** A repository that cannot be opened is an answer here, not the end of the command. */
async function look(session: Session, settings: RepositorySettings): Promise<Looked> {
  try {
    const location = parseLocation(settings.location, session.environment.workingFolder);
    const writer = await writerAt(session, location);
    const history = await readHistory(writer, session.emit, session.signal);
    const lack = lackOf(writer.memory.state, writer, history);
    const lastDrill = lastDrillOf(history);
    const own = ({ writer: id }: Hole): boolean => id === writer.writer.id;
    const lost = findLost(history).filter(own);
    return { failure: undefined, lack, lost, lastDrill, revoked: writer.revoked };
  } catch (error) {
    if (!(error instanceof FerryError) || error.code === 'bug' || session.signal.aborted)
      throw error;
    return { failure: error, lack: NO_LACK, lost: [], lastDrill: null, revoked: undefined };
  }
}

export function lastPullOf(session: Session): StatusSummary['lastPull'] {
  const last = session.settings.data.lastPull;
  if (!last) return null;
  const { time, install, snapshot, checklist } = last;
  return { time, install, snapshot, ok: checklist.every(({ ok }) => ok) };
}

/** What pulls keep aside, the last one first. */
export const keptHere = (session: Session): WayBack[] =>
  keptIn(journalsFolder(session.places)).map(wayBack);

export function attentionOf(
  session: Session,
  installs: readonly Install[],
  repositories: readonly RepositoryStatus[],
): Attention[] {
  const { lastPull } = session.settings.data;
  const joined = repositories.filter(({ status }) => status.joined);
  return [
    ...(joined.length === 0 ? [nowhere] : joined.flatMap((one) => ofRepository(one, installs))),
    ...repositories.flatMap(({ settings }) => lockAttention(settings, session.clock.nowMs())),
    ...interruptedInstalls(journalsFolder(session.places)).map((install) => ({
      code: 'swap-interrupted',
      message: `a pull or an undo of ${install} was interrupted while it moved things`,
      hint: 'Run the same command again: it completes what was begun.',
    })),
    ...(lastPull?.checklist ?? [])
      .filter(({ ok }) => !ok)
      .map(({ check, expected, found }) => ({
        code: 'checklist-failed',
        message: `last pull: ${check}: expected ${expected}, found ${found}`,
        hint: 'Look at it; what was here before can be put back as long as it is kept: stateferry undo',
      })),
  ];
}

const nowhere: Attention = {
  code: 'not-joined',
  message: 'this machine pushes to no repository',
  hint: 'stateferry init LOCATION creates one, stateferry join LOCATION uses one.',
};

function ofRepository(
  { status, settings, failure, lack, revoked }: RepositoryStatus,
  installs: readonly Install[],
): Attention[] {
  const { location } = status;
  const pushes = settings.lastPush ?? {};
  // Not the default one: copying is also how the repository that is pushed to gets new keys.
  const isForCopies =
    settings.lastCopy !== undefined && settings.lastPush === undefined && !status.isDefault;
  return [
    ...(failure
      ? [
          {
            code: failure.code,
            message: failure.message,
            hint: orRetired(failure.hint ?? `stateferry probe '${location}'`, location),
          },
        ]
      : []),
    ...(revoked
      ? [
          {
            code: 'machine-revoked',
            message: `${location}: this machine was revoked on ${revoked.time.slice(0, 10)}, and cannot push`,
            hint: `Who has the passphrase can let it in again, as a new one: stateferry join '${location}'`,
          },
        ]
      : []),
    ...lackProblems(lack).map(({ code, message }) => ({
      code,
      message: `${location}: ${message}`,
      hint: ROLLBACK_HINT,
    })),
    ...(status.lastDrill?.passed === false
      ? [
          {
            code: 'drill-failed',
            message: `${location}: the last drill that this machine ran failed`,
            hint: `Run it again to see what is wrong: stateferry drill -r '${location}'`,
          },
        ]
      : []),
    ...installs
      .filter(({ install, mode }) => mode === 'local' && !isForCopies && !(install in pushes))
      .map(({ install }) => ({
        code: 'never-pushed',
        message: `${install} was never pushed to ${location}`,
        hint: `stateferry push ${install} -r '${location}'`,
      })),
    ...Object.entries(pushes)
      .filter(([, { problems }]) => problems > 0)
      .map(([install, { problems }]) => ({
        code: 'incomplete',
        message: `the last push of ${install} could not read ${problems} files`,
        hint: `stateferry push ${install} names them again.`,
      })),
  ];
}
