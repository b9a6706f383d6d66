/**
 * What this machine keeps of a repository, and letting go of it: for a disk that is retired, a bucket that is closed, a
 * machine that shall push elsewhere. Works without the repository, since that may be gone for good.
 */
import { FerryError } from '../../base/errors.ts';
import { cacheFiles, removeCache } from '../../repository/cache.ts';
import type { RepositorySettings, SettingsData } from '../../settings/schema.ts';
import { printLocation } from '../../store/location.ts';
import { confirm, confirmByWord } from '../confirm.ts';
import { fenceFile } from '../handoff/gateway.ts';
import type { LeaveSummary } from '../output/summary.ts';
import { knownLocation, type Session } from '../session.ts';

/** @throws not-joined, usage */
export function leavePlan(session: Session, typed: string): LeaveSummary {
  const { settings, places } = session;
  const location = printLocation(knownLocation(session, typed));
  const known = settings.repository(location);
  if (!known) throw nothingKept(location, settings.data);
  refuseScheduled(location, settings.data);
  const { machine, handoffs = [] } = known;
  const id = idOnlyHere(known, settings.data);
  return {
    verb: 'leave',
    repository: location,
    id: machine?.repository ?? null,
    machine: machine?.machine ?? null,
    installs: Object.keys(known.lastPush ?? {}),
    handoffs: handoffs.map(({ install }) => install),
    fences: handoffs
      .filter(({ fence }) => fence)
      .map(({ install }) => ({ install, file: fenceFile(places, install) })),
    interrupted: handoffs.filter(({ offer }) => !offer).map(({ install }) => install),
    cache: id === undefined ? [] : cacheFiles(places.cacheFolder, id),
    wasDefault: settings.data.defaultRepository === location,
    newDefault: without(settings.data, location).defaultRepository ?? null,
  };
}

/** What is kept of a handoff is all that could take it back. */
export async function agreeToLeave(session: Session, plan: LeaveSummary): Promise<void> {
  session.output.plan(plan);
  if (plan.handoffs.length > 0) await confirmByWord(session, 'Let go of it for good?', 'leave');
  else await confirm(session, 'Let go of it?');
}

/** The cache first: a run that was killed between the two is typed again. */
export function letGo(
  { settings, places }: Session,
  { repository, id, cache }: LeaveSummary,
): void {
  if (id !== null && cache.length > 0) removeCache(places.cacheFolder, id);
  settings.update((data) => without(data, repository));
}

function without(data: SettingsData, location: string): SettingsData {
  const { defaultRepository, ...more } = data;
  const repositories = data.repositories.filter((one) => one.location !== location);
  const gone = data.repositories.find((one) => one.location === location);
  const id = gone && idOnlyHere(gone, data);
  const landed = data.landed?.filter(({ repository }) => repository !== id);
  const left = repositories.filter(({ machine }) => machine !== undefined);
  const [only, ...others] = left;
  const next = others.length === 0 ? only?.location : undefined;
  const isKept = defaultRepository !== undefined && defaultRepository !== location;
  const meant = isKept ? defaultRepository : next;
  return {
    ...more,
    repositories,
    ...(landed && { landed }),
    ...(meant !== undefined && { defaultRepository: meant }),
  };
}

/** The repository's id, unless this machine knows the same one at another place too, as a mirror. */
function idOnlyHere(
  { location, machine }: RepositorySettings,
  { repositories }: SettingsData,
): string | undefined {
  const isElsewhere = repositories.some(
    (one) => one.location !== location && one.machine?.repository === machine?.repository,
  );
  return isElsewhere ? undefined : machine?.repository;
}

function nothingKept(location: string, { repositories }: SettingsData): FerryError {
  const names = repositories.map((one) => `'${one.location}'`).join(', ');
  return new FerryError('not-joined', `this machine keeps nothing of a repository in ${location}`, {
    hint: names === '' ? 'It keeps nothing of any.' : `What it knows: ${names}`,
  });
}

/** A timer must not find out by itself, every night, that its repository is gone. */
function refuseScheduled(location: string, { schedule }: SettingsData): void {
  if (!schedule?.repositories.includes(location)) return;
  const others = schedule.repositories.filter((one) => one !== location);
  const install = ['stateferry schedule install', ...others.map((one) => `-r '${one}'`)].join(' ');
  throw new FerryError('usage', `the schedule of this machine works on ${location}`, {
    hint:
      others.length === 0
        ? 'First: stateferry schedule remove'
        : `First install it without that one: ${install}`,
  });
}
