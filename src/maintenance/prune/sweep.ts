/** Deleting what a plan named. A refusal is noted and the rest goes on; whoever may delete nothing is soon believed. */
import { DAY_MS } from '../../base/durations.ts';
import { FerryError, type ErrorCode } from '../../base/errors.ts';
import { inLanes } from '../../base/lanes.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { StoredObject } from './prune-plan.ts';

const DELETES_AT_ONCE = 8;
const DELETES_PER_LOOK = 256;
const REFUSALS_MAX = 32;

/** A delete that the store did not do. */
export type RefusedDelete = {
  readonly object: string;
  readonly code: ErrorCode;
  readonly message: string;
};

export type Swept = {
  readonly deleted: readonly StoredObject[];
  readonly refused: readonly RefusedDelete[];
  /** Neither: too many refusals, or the store's clock said that the plan is too old. */
  readonly left: readonly StoredObject[];
};

/** @param plannedMs the store's time of the plan: a machine that slept over it for a day deletes no more by it */
export async function sweep(
  store: ObjectStore,
  objects: readonly StoredObject[],
  plannedMs: number,
  signal: AbortSignal,
): Promise<Swept> {
  const deleted: StoredObject[] = [];
  const refused: RefusedDelete[] = [];
  const deleteOne = async (object: StoredObject): Promise<void> => {
    if (refused.length >= REFUSALS_MAX) return;
    try {
      await store.delete(object.name, signal);
      deleted.push(object);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.push({ object: object.name, code: error.code, message: error.message });
    }
  };
  let at = 0;
  for (; at < objects.length && refused.length < REFUSALS_MAX; at += DELETES_PER_LOOK) {
    if ((await store.dateMs(signal)) - plannedMs > DAY_MS) break;
    const some = objects.slice(at, at + DELETES_PER_LOOK);
    const gone = await deleteTogether(store, some, signal);
    for (const object of some) if (gone.has(object.name)) deleted.push(object);
    const others = some.filter(({ name }) => !gone.has(name));
    await inLanes(others, DELETES_AT_ONCE, signal, deleteOne);
  }
  const settled = new Set([
    ...deleted.map(({ name }) => name),
    ...refused.map((one) => one.object),
  ]);
  return { deleted, refused, left: objects.filter(({ name }) => !settled.has(name)) };
}

/** Those that the store says are gone; it may have no way to do many at once, and then it is none. */
async function deleteTogether(
  store: ObjectStore,
  objects: readonly StoredObject[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  if (!store.deleteMany || objects.length < 2) return new Set();
  return await store.deleteMany(
    objects.map(({ name }) => name),
    signal,
  );
}

const isRefusal = (error: unknown): error is FerryError =>
  error instanceof FerryError && (error.code === 'store-denied' || error.code === 'store-refused');
