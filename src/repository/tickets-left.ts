/**
 * What handoffs leave in a repository, for whoever deletes: grants that may still be used, and grants, claims and
 * receipts that are dead. A grant proves nothing without its ticket, so whoever may store one can keep a snapshot from
 * being forgotten for a week, and nothing more.
 */
import { fromHex } from '../base/bytes.ts';
import { DAY_MS } from '../base/durations.ts';
import { isObjectFault } from '../base/errors.ts';
import { CLEAR_BYTES, readGrantInTheClear, type GrantInTheClear } from '../format/grant.ts';
import { parseId, type ObjectId } from '../format/names.ts';
import type { ListedObject, ObjectStore } from '../store/object-store.ts';

/** No ticket lives longer, whatever its grant says. */
const GRANT_LIFE_MAX_MS = 7 * DAY_MS;
/**
 * A claim and a receipt are a few kilobytes, and on them rests that the old machine stays fenced, also when nobody
 * switches it on for a long time. Who finds no claim after that knows nothing any more.
 */
export const CLAIM_KEPT_MS = 365 * DAY_MS;

export type TicketsLeft = {
  /** Snapshots that a living grant names, with when the last of their grants dies. */
  readonly granted: ReadonlyMap<ObjectId, number>;
  readonly dead: readonly ListedObject[];
};

/** @param nowMs the store's time */
export async function readTicketsLeft(
  { store, id: repository }: { readonly store: ObjectStore; readonly id: string },
  nowMs: number,
  signal: AbortSignal,
): Promise<TicketsLeft> {
  const granted = new Map<ObjectId, number>();
  const living = new Set<string>();
  const dead: ListedObject[] = [];
  for await (const object of store.list('grants/', signal)) {
    const id = idIn(object);
    if (!id) continue;
    const grant = await readGrant(store, repository, id, object, signal);
    // By the store's own time of it: a machine whose grants say the year 3000 keeps nothing for longer.
    const latestMs = object.modifiedMs + GRANT_LIFE_MAX_MS;
    const endsAtMs = Math.min(grant?.endsAtMs ?? latestMs, latestMs);
    if (nowMs >= endsAtMs) {
      dead.push(object);
      continue;
    }
    living.add(id);
    if (grant) granted.set(grant.snapshot, Math.max(endsAtMs, granted.get(grant.snapshot) ?? 0));
  }
  for (const folder of ['claims', 'receipts'] as const) {
    for await (const object of store.list(`${folder}/`, signal)) {
      const id = idIn(object);
      const isOver = nowMs - object.modifiedMs >= CLAIM_KEPT_MS;
      if (id && isOver && !living.has(id)) dead.push(object);
    }
  }
  return { granted, dead };
}

/** Undefined for what is no grant: it names nothing, and goes when a grant of its age would. */
async function readGrant(
  store: ObjectStore,
  repository: string,
  id: ObjectId,
  { name, size }: ListedObject,
  signal: AbortSignal,
): Promise<GrantInTheClear | undefined> {
  if (size < CLEAR_BYTES) return undefined;
  try {
    const answer = await store.get(name, { offset: 0, length: CLEAR_BYTES }, signal);
    return answer && readGrantInTheClear(fromHex(repository), id, answer.bytes, name);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}

/** Trials are named otherwise, and are nobody's. */
const idIn = ({ name }: ListedObject): ObjectId | undefined =>
  parseId<ObjectId>(name.slice(name.indexOf('/') + 1));
