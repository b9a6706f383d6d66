/** Stopping the world at one store operation, with what would survive on the disk of the machine. */
import { cpSync, existsSync, rmSync } from 'node:fs';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { allObjects, cloneStore, pushTree, type Machine } from './engine.ts';
import { faultStore, WorldStopped, type StoreOperation } from './fault-store.ts';

export type Crash = {
  readonly operation: StoreOperation;
  /** As the crash left it. */
  readonly store: ObjectStore;
  /** State and cache as they lay on the disk at that moment. */
  readonly machine: Machine;
};

/** Every store operation of a push, which is run on a copy. */
export async function operationsOfPush(
  store: ObjectStore,
  machine: Machine,
  tree: string,
  folder: string,
): Promise<readonly StoreOperation[]> {
  const recorded = faultStore(await cloneStore(store));
  await pushTree(recorded, copyMachine(machine, `${folder}/recorded`), tree);
  return recorded.operations;
}

/** Pushes a copy of everything until operation `stopAt`, of which the effect is still there with `after`. */
export async function crashPush(
  store: ObjectStore,
  machine: Machine,
  tree: string,
  at: { readonly stopAt: number; readonly stop: 'before' | 'after' },
  folder: string,
): Promise<Crash | undefined> {
  const copy = await cloneStore(store);
  const running = copyMachine(machine, `${folder}/running`);
  let crash: { machine: Machine; operation: StoreOperation } | undefined;
  const watched = watch(faultStore(copy, at), (operation) => {
    crash ??= { machine: copyMachine(running, `${folder}/crashed`), operation };
  });
  try {
    await pushTree(watched, running, tree);
  } catch (error) {
    if (!crash) throw error;
  }
  return crash && { ...crash, store: copy };
}

/** The same machine with another copy of its cache. */
export function copyMachine(machine: Machine, cache: string): Machine {
  rmSync(cache, { recursive: true, force: true });
  if (machine.cache !== undefined && existsSync(machine.cache))
    cpSync(machine.cache, cache, { recursive: true });
  return { ...machine, state: structuredClone(machine.state), cache, events: [] };
}

export const withoutCache = (machine: Machine): Machine => ({ ...machine, cache: undefined });

/** Calls back at the very moment the world stops. */
function watch(store: ObjectStore, onStop: (operation: StoreOperation) => void): ObjectStore {
  const see = <T>(error: T): T => {
    if (error instanceof WorldStopped) onStop(error.operation);
    return error;
  };
  const seeing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw see(error);
    }
  };
  return {
    location: store.location,
    put: (...args) => seeing(() => store.put(...args)),
    get: (...args) => seeing(() => store.get(...args)),
    getInto: (...args) => seeing(() => store.getInto(...args)),
    stat: (...args) => seeing(() => store.stat(...args)),
    async *list(prefix, signal) {
      try {
        yield* store.list(prefix, signal);
      } catch (error) {
        throw see(error);
      }
    },
    delete: (...args) => seeing(() => store.delete(...args)),
    dateMs: (...args) => seeing(() => store.dateMs(...args)),
    counts: () => store.counts(),
    close: () => store.close(),
  };
}

/** The bytes of all objects below a prefix. */
export async function bytesBelow(store: ObjectStore, prefix: string): Promise<number> {
  const objects = await allObjects(store, prefix);
  return [...objects.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}
