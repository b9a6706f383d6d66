/** pull onto this machine: what the engine needs to know of it, and what the settings keep of the result. */
import { bytePathFromText, showPath } from '../base/byte-path.ts';
import type { InstallIdentity } from '../gateway/identity.ts';
import type { PathRule } from '../gateway/path-map.ts';
import { runProcess } from '../process/run.ts';
import type { RestoreDeps } from '../pull/restore.ts';
import { pull, type LandingSite, type PullPlan, type Pulled } from '../pull/pull.ts';
import { timeText } from '../repository/objects.ts';
import type { ReaderRepository } from '../repository/open.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { knownBrands } from '../settings/brands-file.ts';
import { variablesForOthers } from '../settings/environment.ts';
import { journalsFolder, makePrivateFolder } from '../settings/places.ts';
import { printLocation, type Location } from '../store/location.ts';
import { confirm } from './confirm.ts';
import type { Session } from './session.ts';

export type PullWishes = {
  readonly dryRun: boolean;
  readonly doctor: boolean;
  readonly restart: boolean;
  readonly own: readonly PathRule[];
  readonly as?: InstallIdentity;
  readonly undoOnFailure: boolean;
};

export async function pullHere(
  session: Session,
  repository: ReaderRepository,
  snapshot: SnapshotReader,
  wishes: PullWishes,
): Promise<Pulled> {
  const journals = journalsFolder(session.places);
  makePrivateFolder(journals, session.environment);
  const request = {
    snapshot,
    ...wishes,
    site: landingSite(session),
    journals,
    stamp: stampOf(session.clock.nowMs()),
  };
  const deps = {
    ...restoreDeps(session, repository),
    confirm: (plan: PullPlan) => agreed(session, plan),
  };
  return pull(request, deps, session.signal);
}

export const restoreDeps = (session: Session, repository: ReaderRepository): RestoreDeps => ({
  repository,
  clock: session.clock,
  emit: session.emit,
  tools: { run: runProcess, signal: session.signal },
});

export function landingSite(session: Session): LandingSite {
  const { environment, places } = session;
  const { home, owner, actsForOther } = environment;
  const env = variablesForOthers(environment);
  return {
    home,
    uid: owner.uid,
    owner: actsForOther ? owner : undefined,
    env,
    brands: knownBrands(places),
    cli: { run: runProcess, env, ...(actsForOther && { owner }) },
  };
}

/** Where nothing lies in the way of a home, nothing is at risk and nothing is asked. */
async function agreed(session: Session, plan: PullPlan): Promise<boolean> {
  session.output.plan(plan);
  const { home } = session.environment;
  const outside = plan.placed.filter(
    ({ to }) => !to.startsWith(`${showPath(bytePathFromText(home))}/`),
  );
  if (plan.placed.some(({ aside }) => aside.length > 0)) {
    const stop = plan.gateway ? 'Stop the gateway, move' : 'Move';
    await confirm(session, `${stop} aside what is there, and put the snapshot in its place?`);
  } else if (plan.gateway) {
    await confirm(session, 'Stop the gateway that runs here, and put the snapshot in place?');
  } else if (outside.length > 0) {
    await confirm(session, `Put ${outside.length} of these outside your home?`);
  }
  return true;
}

/** Local time, for names that people read: `20261121-080000`. */
export function stampOf(nowMs: number): string {
  const date = new Date(nowMs);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${pad(date.getMonth() + 1)}${pad(date.getDate())}`;
  return `${day}-${pad(date.getHours())}${pad(date.getMinutes())}${pad(date.getSeconds())}`;
}

export function rememberPull(session: Session, location: Location, pulled: Pulled): void {
  const { plan, landed } = pulled;
  const lastPull = {
    time: timeText(session.clock.nowMs()),
    repository: printLocation(location),
    snapshot: plan.snapshot,
    install: plan.install,
    checklist: (landed?.checklist ?? []).map(({ check, ok, expected, found }) => ({
      check,
      ok,
      expected,
      found,
    })),
  };
  session.settings.update((data) => ({ ...data, lastPull }));
}
