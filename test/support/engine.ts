/**
 * The whole engine without gateway and command line: repositories on any store, machines, pushes, restores.
 * Everything lies below one folder that the test removes.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { bytePathFromText, type BytePath } from '../../src/base/byte-path.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { cryptoReady, systemRandom } from '../../src/crypto/sodium.ts';
import type { Entry } from '../../src/format/entry.ts';
import { runProcess } from '../../src/process/run.ts';
import { restoreTrees, type Restored } from '../../src/pull/restore/restore.ts';
import type { PushSource } from '../../src/push/archive-install.ts';
import { push, type PushDeps, type PushedSnapshot } from '../../src/push/push.ts';
import type { OnVerified } from '../../src/repository/adoption.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { createRepository, joinRepository } from '../../src/repository/create.ts';
import type { Secret } from '../../src/repository/key-slots.ts';
import type { MachineState } from '../../src/repository/machine.ts';
import {
  openForReading,
  openForWriting,
  type ReaderRepository,
  type WriterRepository,
} from '../../src/repository/open.ts';
import { listSnapshots } from '../../src/repository/snapshot-list.ts';
import { openSnapshot, type SnapshotReader } from '../../src/repository/snapshot-reader.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';

export { refusalOf } from './refusal.ts';

await cryptoReady();

export const PASSPHRASE = 'four sealed words afloat';
/** Small packs, so that little data makes many of them. */
export const PACK_BYTES = 1024 * 1024;
export const NO_ABORT = new AbortController().signal;

/** One machine: what its settings keep, and its cache. */
export type Machine = {
  /** As saved last. */
  state: MachineState;
  /** undefined: it works without a cache. */
  readonly cache: string | undefined;
  readonly scratch: string;
  readonly events: FerryEvent[];
};

export type Engine = {
  readonly folder: string;
  readonly store: ObjectStore;
  /** The machine that made the repository. */
  readonly machine: Machine;
  readonly recoveryCode: string;
};

/** A folder of its own for one test, removed after it. */
export function engineFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-engine-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A repository on `store` and the machine that made it. */
export async function makeEngine(
  folder: string,
  store: ObjectStore = openMemoryStore(),
): Promise<Engine> {
  const request = { passphrase: PASSPHRASE, machine: 'harbour' };
  const keep = async (): Promise<void> => {};
  const created = await createRepository(store, request, systemRandom, keep, NO_ABORT);
  const machine = machineIn(folder, created.state);
  return { folder, store, machine, recoveryCode: created.recoveryCode };
}

/** A machine with this state; its folders are named after its writer. */
export function machineIn(folder: string, state: MachineState, name = state.writer.id): Machine {
  const scratch = join(folder, `scratch-${name}`);
  mkdirSync(scratch, { recursive: true });
  return { state, cache: join(folder, `cache-${name}`), scratch, events: [] };
}

export async function joinEngine(engine: Engine, machine: string): Promise<Machine> {
  const reader = await openReader(engine.store);
  const { store, folder } = engine;
  const state = await joinRepository(
    store,
    reader.id,
    reader.identity,
    machine,
    systemRandom,
    NO_ABORT,
  );
  return machineIn(folder, state);
}

export type PushOptions = {
  readonly label?: string;
  readonly install?: string;
  readonly roots?: readonly RootOptions[];
  readonly signal?: AbortSignal;
  readonly packBytes?: number;
  readonly scratch?: string;
};
export type RootOptions = Partial<PushSource['roots'][number]> & { readonly tree: string };

/** Pushes the folder `tree` as the root `state`. What the machine learned stays in `machine.state`. */
export async function pushTree(
  store: ObjectStore,
  machine: Machine,
  tree: string,
  options: PushOptions = {},
): Promise<PushedSnapshot> {
  const signal = options.signal ?? NO_ABORT;
  return asWriter(store, machine, signal, (deps) => {
    const source = pushSource(options.install ?? 'openclaw', options.roots ?? [{ tree }]);
    const scratch = options.scratch ?? machine.scratch;
    const packBytes = options.packBytes ?? PACK_BYTES;
    return push(
      {
        source,
        scratch,
        packBytes,
        tool: 'test',
        ...(options.label ? { label: options.label } : {}),
      },
      deps,
      signal,
    );
  });
}

/** Does something as the machine that pushes. What it learned stays in `machine.state`. */
export async function asWriter<T>(
  store: ObjectStore,
  machine: Machine,
  signal: AbortSignal,
  work: (deps: PushDeps) => Promise<T>,
): Promise<T> {
  const emit = (event: FerryEvent): void => void machine.events.push(event);
  const cache = LocalCache.open(machine.cache, machine.state.repository, emit);
  const memory = {
    get state() {
      return machine.state;
    },
    async save(state: MachineState) {
      machine.state = state;
    },
  };
  try {
    const repository = await openForWriting(store, memory, cache, emit, signal);
    return await work({ repository, clock: systemClock, random: systemRandom, emit });
  } finally {
    cache.close();
  }
}

export function pushSource(install: string, roots: readonly RootOptions[]): PushSource {
  return {
    install: {
      install,
      brand: 'openclaw',
      profile: 'default',
      version: null,
      platform: 'linux',
      home: '/home/mara',
    },
    roots: roots.map(({ tree, ...root }, index) => ({
      name: index === 0 ? 'state' : `workspace-${index}`,
      kind: index === 0 ? 'state' : 'workspace',
      path: tree,
      readFrom: bytePathFromText(tree),
      omit: { kind: 'data', workspaces: [], inner: [], excluded: [] },
      isSecret: (path: BytePath) => path.includes('credentials'),
      ...root,
    })),
    omissions: [],
    problems: [],
    notices: [],
    gateway: () => ({}),
  };
}

export type ReaderOptions = {
  readonly secret?: Secret;
  readonly pinned?: MachineState;
  readonly events?: FerryEvent[];
};

/** A reader with the passphrase, unless told otherwise. Reuse it where you can: stretching takes its time. */
export async function openReader(
  store: ObjectStore,
  options: ReaderOptions = {},
): Promise<ReaderRepository> {
  const emit = (event: FerryEvent): void => void options.events?.push(event);
  const secret = options.secret ?? { with: 'passphrase', passphrase: PASSPHRASE };
  const cacheOf = (): LocalCache => LocalCache.open(undefined, '', emit);
  return await openForReading(store, secret, options.pinned, cacheOf, emit, NO_ABORT);
}

export const listAll = (
  reader: ReaderRepository,
  events: FerryEvent[] = [],
): Promise<OpenedCover[]> => listSnapshots(reader, (event) => void events.push(event), NO_ABORT);

export type RestoreOptions = {
  readonly events?: FerryEvent[];
  readonly signal?: AbortSignal;
  readonly only?: (path: BytePath) => boolean;
  readonly onVerified?: OnVerified;
  readonly ownerOf?: (entry: Entry) => { readonly uid: number; readonly gid: number } | undefined;
};

/** Restores the first root of a snapshot into the folder `stage`. */
export async function restoreTo(
  reader: ReaderRepository,
  chosen: OpenedCover,
  stage: string,
  options: RestoreOptions = {},
): Promise<Restored & { readonly snapshot: SnapshotReader }> {
  const signal = options.signal ?? NO_ABORT;
  const emit = (event: FerryEvent): void => void options.events?.push(event);
  const snapshot = await openSnapshot(reader, chosen, emit, signal);
  const [root] = snapshot.body.roots;
  if (!root) throw new Error('the snapshot has no root');
  const target = { root, stage: bytePathFromText(stage) };
  const restored = await restoreTrees(
    {
      snapshot,
      targets: [options.only ? { ...target, only: options.only } : target],
      ownerOf: options.ownerOf ?? (() => undefined),
      setIdAllowed: false,
    },
    {
      repository: reader,
      clock: systemClock,
      emit,
      tools: { run: runProcess, signal },
      onVerified: options.onVerified,
    },
    signal,
  );
  return { ...restored, snapshot };
}

/** As the machine that pushes, without a cache. */
export function openWriter(store: ObjectStore, machine: Machine): Promise<WriterRepository> {
  const memory = { state: machine.state, save: (): Promise<void> => Promise.resolve() };
  const cache = LocalCache.open(undefined, '', () => undefined);
  return openForWriting(store, memory, cache, () => undefined, NO_ABORT);
}

/** A second store with the same objects. */
export async function cloneStore(store: ObjectStore): Promise<ObjectStore> {
  const copy = openMemoryStore();
  for (const [name, bytes] of await allObjects(store)) await copy.put(name, bytes, {}, NO_ABORT);
  return copy;
}

/** Every object of a store by name, sorted by it. */
export async function allObjects(
  store: ObjectStore,
  prefix = '',
): Promise<Map<string, Uint8Array>> {
  const names: string[] = [];
  for await (const { name } of store.list(prefix, NO_ABORT)) names.push(name);
  const objects = new Map<string, Uint8Array>();
  for (const name of names.toSorted()) {
    const answer = await store.get(name, undefined, NO_ABORT);
    if (answer) objects.set(name, answer.bytes);
  }
  return objects;
}
