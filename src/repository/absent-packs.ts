/** Which packs are not there, whatever a listing shows. */
import { FerryError } from '../base/errors.ts';
import { inLanes } from '../base/lanes.ts';
import type { ListedPack } from '../format/pack-list.ts';
import type { ObjectStore } from '../store/object-store.ts';

const LOOKS_AT_ONCE = 8;

/**
 * A listing may lag behind what was stored: what it does not show is asked for by name, where that is allowed.
 * @param unseen by name: not listed, or with another size
 * @returns the names of those that are not there as they were stored
 */
export async function absentPacks(
  unseen: ReadonlyMap<string, ListedPack>,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const absent = new Set<string>();
  let mayAsk = true;
  await inLanes(unseen, LOOKS_AT_ONCE, signal, async ([name, { size }]) => {
    try {
      const found = mayAsk ? await store.stat(name, signal) : undefined;
      if (found?.size !== size) absent.add(name);
    } catch (error) {
      if (!(error instanceof FerryError && error.code === 'store-denied')) throw error;
      mayAsk = false;
      absent.add(name);
    }
  });
  return absent;
}
