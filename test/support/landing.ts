/** Two homes and a folder repository between them: the sample is pushed in one and lands in the other. */
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import type { Emit, FerryEvent } from '../../src/base/events.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { inspectInstalls } from '../../src/gateway/discover/discover.ts';
import { BRANDS } from '../../src/gateway/install/brands.ts';
import { parseIdentity } from '../../src/gateway/install/identity.ts';
import type { PathRule } from '../../src/gateway/relocate/path-map.ts';
import { runProcess } from '../../src/process/run.ts';
import type { PullPlan, PullRequest } from '../../src/pull/plan/landing.ts';
import type { LandingSite } from '../../src/pull/plan/site.ts';
import type { Pulled } from '../../src/pull/pull.ts';
import { pull } from '../../src/pull/pull.ts';
import { undo, type Undone } from '../../src/pull/undo/undo.ts';
import { push, type PushedSnapshot } from '../../src/push/push.ts';
import { sourceOf } from '../../src/push/source.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { openForWriting, type ReaderRepository } from '../../src/repository/open.ts';
import { newestOfMachine } from '../../src/repository/snapshot-list.ts';
import { openSnapshot } from '../../src/repository/snapshot-reader.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import { openFolderStore } from '../../src/store/folder-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { listAll, makeEngine, NO_ABORT, openReader, type Machine } from './engine.ts';

export type LandingWorld = {
  readonly folder: string;
  readonly repository: string;
  readonly store: ObjectStore;
  readonly machine: Machine;
  readonly reader: ReaderRepository;
  /** Of the old user; hide it before a pull. */
  readonly oldHome: string;
  /** Where the stand-in of the product is, or any other command. */
  readonly binDir: string;
};

export async function landingWorld(folder: string): Promise<LandingWorld> {
  const repository = join(folder, 'repository');
  mkdirSync(folder, { recursive: true });
  const store = await openFolderStore(repository, { createRoot: true });
  const { machine } = await makeEngine(folder, store);
  const reader = await openReader(store);
  const oldHome = join(folder, 'old/home/alice');
  mkdirSync(oldHome, { recursive: true });
  return { folder, repository, store, machine, reader, oldHome, binDir: join(folder, 'bin') };
}

export type PushWishes = {
  readonly exclude?: readonly string[];
  readonly include?: readonly string[];
  /** Of the installs found; the first unless told otherwise. */
  readonly install?: string;
  /** While the files are read. */
  readonly meanwhile?: () => void;
};

/** Pushes what is found in the old home. */
export async function pushHome(
  world: LandingWorld,
  wishes: PushWishes = {},
): Promise<PushedSnapshot> {
  const { machine, store, oldHome } = world;
  const env = { HOME: oldHome, PATH: '/usr/bin:/bin', TMPDIR: world.folder };
  const uid = process.getuid?.() ?? 0;
  const found = await inspectInstalls({ home: oldHome, env, brands: BRANDS, uid }, NO_ABORT);
  const inspected = found.find(
    ({ install }) => wishes.install === undefined || install.install === wishes.install,
  );
  if (!inspected) throw new Error(`nothing was found in ${oldHome}`);
  const { include = [], exclude = [] } = wishes;
  const source = sourceOf({ inspected, include, exclude, platform: 'linux' });
  const emit = (event: FerryEvent): void => {
    machine.events.push(event);
    wishes.meanwhile?.();
  };
  const cache = LocalCache.open(machine.cache, machine.state.repository, emit);
  const memory = {
    get state() {
      return machine.state;
    },
    save: async (state: Machine['state']) => {
      machine.state = state;
    },
  };
  try {
    const repository = await openForWriting(store, memory, cache, emit, NO_ABORT);
    const deps = { repository, clock: systemClock, random: systemRandom, emit };
    return await push({ source, scratch: machine.scratch, tool: 'test' }, deps, NO_ABORT);
  } finally {
    cache.close();
  }
}

/** A relocation that was forgotten shows itself: nothing is where it was. */
export function hideOldHome({ oldHome }: LandingWorld): string {
  const hidden = `${dirname(oldHome)}.hidden`;
  renameSync(dirname(oldHome), hidden);
  return join(hidden, oldHome.slice(dirname(oldHome).length + 1));
}

export type PullWishes = {
  readonly home: string;
  readonly dryRun?: boolean;
  readonly doctor?: boolean;
  readonly restart?: boolean;
  readonly undoOnFailure?: boolean;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** A prefix of its id; the newest unless told otherwise. */
  readonly snapshot?: string;
  readonly stamp?: string;
  readonly path?: string;
  readonly own?: readonly PathRule[];
  /** `brand[:profile]` */
  readonly as?: string;
  readonly confirm?: (plan: PullPlan) => boolean;
  readonly signal?: AbortSignal;
  readonly events?: FerryEvent[];
  readonly onEvent?: (event: FerryEvent) => void;
  /** This machine's unless told otherwise. */
  readonly clock?: Clock;
};

/** Only what lies there counts: the product is not asked, and no gateway started. */
export const QUIET = { doctor: false, restart: false } as const;

/** Keeps journals beside the home: `<home>.journals`. */
export async function pullInto(world: LandingWorld, wishes: PullWishes): Promise<Pulled> {
  const covers = await listAll(world.reader);
  const chosen = covers.findLast(({ id }) => id.startsWith(wishes.snapshot ?? ''));
  if (!chosen) throw new Error('no snapshot');
  const [pulled] = await pullThese(world, wishes, [chosen]);
  if (!pulled) throw new Error('nothing was pulled');
  return pulled;
}

/** The newest of every install. */
export async function pullAllInto(world: LandingWorld, wishes: PullWishes): Promise<Pulled[]> {
  return pullThese(world, wishes, newestOfMachine(await listAll(world.reader), undefined));
}

async function pullThese(
  world: LandingWorld,
  wishes: PullWishes,
  chosen: readonly OpenedCover[],
): Promise<Pulled[]> {
  const { home, signal = NO_ABORT } = wishes;
  const emit = emitFor(wishes);
  const journals = `${home}.journals`;
  mkdirSync(journals, { recursive: true });
  const requests: PullRequest[] = [];
  for (const cover of chosen) {
    requests.push({
      snapshot: await openSnapshot(world.reader, cover, emit, signal),
      site: siteOf(world, wishes),
      dryRun: wishes.dryRun ?? false,
      doctor: wishes.doctor ?? true,
      restart: wishes.restart ?? true,
      undoOnFailure: wishes.undoOnFailure ?? false,
      journals,
      stamp: wishes.stamp ?? '20261121-080000',
      ...(wishes.own && { own: wishes.own }),
      ...(wishes.as !== undefined && { as: parseIdentity(wishes.as, BRANDS) }),
    });
  }
  const deps = {
    repository: world.reader,
    clock: wishes.clock ?? systemClock,
    emit,
    tools: { run: runProcess, signal },
    confirm: async (plans: readonly PullPlan[]) =>
      plans.every((plan) => wishes.confirm?.(plan) ?? true),
  };
  return pull(requests, deps, signal);
}

/** Of the last pull into this home. */
export async function undoPull(world: LandingWorld, wishes: PullWishes): Promise<Undone> {
  const { home, dryRun = false, stamp = 'undone' } = wishes;
  const request = { site: siteOf(world, wishes), install: undefined, dryRun, stamp };
  const deps = {
    clock: wishes.clock ?? systemClock,
    emit: emitFor(wishes),
    confirm: async () => {},
  };
  const signal = wishes.signal ?? NO_ABORT;
  return undo({ ...request, journals: `${home}.journals` }, deps, signal);
}

const emitFor =
  ({ events, onEvent }: PullWishes): Emit =>
  (event) => {
    events?.push(event);
    onEvent?.(event);
  };

/** For `onEvent`: does something each time that stage begins. */
export const atStage =
  (stage: string, act: () => void) =>
  (event: FerryEvent): void => {
    if (event.type === 'stage' && event.stage === stage) act();
  };

function siteOf(world: LandingWorld, { home, owner, path }: PullWishes): LandingSite {
  const env = { PATH: path ?? `${world.binDir}:/usr/bin:/bin`, TMPDIR: world.folder };
  return {
    home,
    uid: owner?.uid ?? process.getuid?.() ?? 0,
    owner,
    env,
    brands: BRANDS,
    cli: { run: runProcess, env, ...(owner && { owner }) },
  };
}
