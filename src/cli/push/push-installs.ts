/** push for several installs and repositories, one after the other: one that fails does not keep the others back. */
import { resolve } from 'node:path';
import { ERROR_CODES, FerryError } from '../../base/errors.ts';
import { inspect, type DiscoverRequest } from '../../gateway/discover/discover.ts';
import type { Install } from '../../gateway/install/install.ts';
import type { PushSource } from '../../push/archive-install.ts';
import { push } from '../../push/push.ts';
import { sourceOf } from '../../push/source.ts';
import type { WriterRepository } from '../../repository/open.ts';
import { timeText } from '../../repository/objects.ts';
import { refuseRevoked } from '../../repository/revocations.ts';
import { emptyScratch } from '../../settings/scratch.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { missingBeforePush } from '../looking/history.ts';
import { discoverRequest } from '../installs.ts';
import type { Failed, MissingSnapshot, PushedInstall } from '../output/push/summary.ts';
import { writerAt } from '../places/repositories.ts';
import type { Session } from '../session.ts';

export type PushWishes = {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly label: string | undefined;
};

export type PushOutcome = {
  readonly snapshots: readonly PushedInstall[];
  readonly failed: readonly Failed[];
  readonly missing: readonly MissingSnapshot[];
  readonly stores: readonly ObjectStore[];
  readonly exit: number;
};

/** @throws the first failure when nothing at all was pushed */
export async function pushInstalls(
  session: Session,
  locations: readonly Location[],
  installs: readonly Install[],
  wishes: PushWishes,
): Promise<PushOutcome> {
  const scratch = emptyScratch(session.places, session.environment);
  const request = discoverRequest(session, 'remembered');
  const snapshots: PushedInstall[] = [];
  const stores: ObjectStore[] = [];
  const missing: MissingSnapshot[] = [];
  const failures = new Failures(session);
  for (const location of locations) {
    const repository = await failures.kept(printLocation(location), '', async () => {
      const opened = await writerAt(session, location);
      const { writer, revoked, store } = opened;
      refuseRevoked(revoked, { machine: writer.machine, location: store.location });
      missing.push(...(await missingBeforePush(session, opened)));
      return opened;
    });
    if (!repository) continue;
    stores.push(repository.store);
    for (const install of installs) {
      const pushed = await failures.kept(printLocation(location), install.install, async () => {
        const source = await sourceFor(session, request, install, wishes);
        return pushOne(session, repository, source, wishes.label, scratch);
      });
      if (!pushed) continue;
      snapshots.push({ ...pushed, repository: printLocation(location) });
      rememberPush(session, location, pushed);
    }
  }
  if (snapshots.length === 0) failures.throwFirst();
  const hasProblems = snapshots.some((one) => one.problems.length > 0);
  return {
    snapshots,
    failed: failures.list,
    missing,
    stores,
    exit: failures.firstExit() ?? exitOf(missing.length > 0, hasProblems),
  };
}

/** A history that was rolled back weighs more than a file that could not be read. */
const exitOf = (isRolledBack: boolean, hasProblems: boolean): number =>
  isRolledBack ? ERROR_CODES['history-rolled-back'].exit : hasProblems ? 3 : 0;

export async function sourceFor(
  session: Session,
  request: DiscoverRequest,
  install: Install,
  { include, exclude }: PushWishes,
): Promise<PushSource> {
  const inspected = await inspect(install, request, session.signal);
  const { workingFolder } = session.environment;
  return sourceOf({
    inspected,
    include: include.map((directory) => resolve(workingFolder, directory)),
    exclude,
    platform: process.platform,
  });
}

async function pushOne(
  session: Session,
  repository: WriterRepository,
  source: PushSource,
  label: string | undefined,
  scratch: string,
): Promise<PushedInstall> {
  const { clock, random, emit, tool, signal, options } = session;
  const isQuiet = options.quiet === true && options.json !== true;
  const request = { source, scratch, tool, isQuiet, ...(label !== undefined && { label }) };
  return push(request, { repository, clock, random, emit }, signal);
}

/** For `status`. */
export function rememberPush(session: Session, location: Location, pushed: PushedInstall): void {
  const { install, id, files, bytes, omissions, problems } = pushed;
  const time = timeText(session.clock.nowMs());
  const counts = { omissions: omissions.length, problems: problems.length };
  session.settings.updateRepository(printLocation(location), (one) => ({
    ...one,
    lastPush: { ...one.lastPush, [install]: { time, snapshot: id, files, bytes, ...counts } },
  }));
}

/** What failed, said at once and kept; a bug or an interruption ends everything. */
class Failures {
  readonly list: Failed[] = [];
  readonly #session: Session;
  #first: FerryError | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  async kept<T>(
    repository: string,
    install: string,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FerryError) || this.#session.signal.aborted) throw error;
      if (error.code === 'bug' || error.code === 'interrupted') throw error;
      const { code, message } = error;
      if (this.#first) this.#say(repository, install, error);
      this.#first ??= error;
      this.list.push({ repository, install: install === '' ? null : install, code, message });
      return undefined;
    }
  }

  firstExit(): number | undefined {
    if (this.#first)
      this.#say(this.list[0]?.repository ?? '', this.list[0]?.install ?? '', this.#first);
    return this.#first?.exit;
  }

  throwFirst(): void {
    if (this.#first) throw this.#first;
  }

  #say(repository: string, install: string, { code, message }: FerryError): void {
    const path = install === '' ? repository : `${install} to ${repository}`;
    this.#session.emit({ type: 'problem', path, code, message });
  }
}
