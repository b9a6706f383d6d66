/** pull onto this machine: what the engine needs to know of it, and what the settings keep of the result. */
import { bytePathFromText, showPath } from '../../base/byte-path.ts';
import { assert } from '../../base/errors.ts';
import type { InstallIdentity } from '../../gateway/install/identity.ts';
import type { PathRule } from '../../gateway/relocate/path-map.ts';
import { runProcess } from '../../process/run.ts';
import { tellingRunner } from '../../process/under-way.ts';
import type { PullDeps, PullPlan } from '../../pull/plan/landing.ts';
import type { LandingSite } from '../../pull/plan/site.ts';
import { pull, type Pulled } from '../../pull/pull.ts';
import type { RestoreDeps } from '../../pull/restore/restore.ts';
import { rememberVerified } from '../../repository/adoption.ts';
import type { RepositoryCache } from '../../repository/cache.ts';
import { timeText } from '../../repository/objects.ts';
import type { PackSource } from '../../repository/open.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { knownBrands } from '../../settings/brands-file.ts';
import { variablesForOthers } from '../../settings/environment.ts';
import { journalsFolder, makePrivateFolder } from '../../settings/places.ts';
import { confirm } from '../confirm.ts';
import { rememberLanded } from './landed.ts';
import { forgetGoneStages, noteStages } from './unfinished.ts';
import { checklistOf } from './pull-summary.ts';
import type { Session } from '../session.ts';

export type PullWishes = {
  readonly dryRun: boolean;
  readonly doctor: boolean;
  readonly restart: boolean;
  readonly own: readonly PathRule[];
  readonly as?: InstallIdentity;
  readonly undoOnFailure: boolean;
  /** The command that goes on with a pull of these that was interrupted. */
  readonly again: (snapshots: readonly SnapshotReader[]) => string;
};

export async function pullHere(
  session: Session,
  repository: PackSource & { readonly cache: RepositoryCache },
  snapshots: readonly SnapshotReader[],
  { again, ...wishes }: PullWishes,
  hear: {
    /** Called when the plan is accepted, before anything is written. */
    readonly accepted?: () => Promise<void>;
    readonly onDamage?: PullDeps['onDamage'];
  } = {},
): Promise<Pulled[]> {
  const journals = journalsFolder(session.places);
  makePrivateFolder(journals, session.environment);
  const site = landingSite(session);
  const stamp = stampOf(session.clock.nowMs());
  const requests = snapshots.map((snapshot) => ({ snapshot, ...wishes, site, journals, stamp }));
  let plans: readonly PullPlan[] = [];
  const deps: PullDeps = {
    ...restoreDeps(session, repository),
    onVerified: isOwn(session, snapshots) ? undefined : rememberVerified(repository.cache),
    confirm: async (planned) => {
      plans = planned;
      const isAgreed = await agreed(session, plans);
      if (isAgreed) await hear.accepted?.();
      return isAgreed;
    },
    onStages: (stages) => noteStages(session, plans, stages, again(snapshots)),
    ...(hear.onDamage && { onDamage: hear.onDamage }),
  };
  const pulled = await pull(requests, deps, session.signal);
  forgetGoneStages(session);
  rememberLanded(session, repository.id, pulled, snapshots);
  return pulled;
}

/** What this machine has pushed itself it knows anyway. */
function isOwn({ settings }: Session, snapshots: readonly SnapshotReader[]): boolean {
  const own = new Set(settings.data.repositories.map(({ machine }) => machine?.writer.id));
  return snapshots.every(({ cover }) => own.has(cover.writer));
}

export const restoreDeps = (session: Session, repository: PackSource): RestoreDeps => ({
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
    cli: {
      run: tellingRunner(runProcess, session.clock, session.emit),
      env,
      ...(actsForOther && { owner }),
    },
  };
}

/** Where nothing lies in the way of a home, nothing is at risk and nothing is asked. */
async function agreed(session: Session, plans: readonly PullPlan[]): Promise<boolean> {
  for (const plan of plans) session.output.plan(plan);
  const { home } = session.environment;
  const placed = plans.flatMap((plan) => plan.placed);
  const outside = placed.filter(({ to }) => !to.startsWith(`${showPath(bytePathFromText(home))}/`));
  const stops = plans.filter(({ gateway }) => gateway !== undefined).length;
  const gateways = stops > 1 ? `${stops} gateways` : 'the gateway';
  const what = plans.length > 1 ? `${plans.length} snapshots` : 'the snapshot';
  if (placed.some(({ aside }) => aside.length > 0)) {
    const stop = stops > 0 ? `Stop ${gateways}, move` : 'Move';
    await confirm(session, `${stop} aside what is there, and put ${what} in its place?`);
  } else if (stops > 0) {
    await confirm(session, `Stop ${gateways} that runs here, and put ${what} in place?`);
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

/**
 * Of several, the checklists of all: each line names its install.
 * @param repository where it came from, for people
 */
export function rememberPull(session: Session, repository: string, all: readonly Pulled[]): void {
  const [pulled] = all;
  assert(pulled, 'something was pulled');
  const { plan } = pulled;
  const lastPull = {
    time: timeText(session.clock.nowMs()),
    repository,
    snapshot: plan.snapshot,
    install: all.map((one) => one.plan.install).join(', '),
    checklist: checklistOf(all),
  };
  session.settings.update((data) => ({ ...data, lastPull }));
}
