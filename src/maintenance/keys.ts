/** keys: what opens the repository. Adding and removing slots; nothing here encrypts anything anew. */
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { Random } from '../crypto/sodium.ts';
import { sharedObjectName } from '../format/names.ts';
import { makeKeySlot, readKeySlots, type Secret } from '../repository/key-slots.ts';
import type { OpenedIdentity } from '../repository/open.ts';
import type { ObjectStore } from '../store/object-store.ts';

export type KeyLine = {
  readonly id: string;
  readonly opensWith: Secret['with'] | 'damaged';
  /** The store's time of the object, in milliseconds. */
  readonly storedMs: number;
  /** Whether this is the slot that opened the repository just now. */
  readonly isOpened: boolean;
  /** What is wrong with it. */
  readonly problem?: string;
};

/** Oldest first. */
export async function listKeys(
  store: ObjectStore,
  opened: OpenedIdentity,
  signal: AbortSignal,
): Promise<KeyLine[]> {
  const lines: KeyLine[] = [];
  for (const found of await readKeySlots(store, opened.id, signal)) {
    const { name, modifiedMs: storedMs } = found;
    const id = name.slice(name.lastIndexOf('/') + 1);
    const isOpened = id === opened.slot;
    lines.push(
      'slot' in found
        ? { id, opensWith: found.slot.opens.with, storedMs, isOpened }
        : { id, opensWith: 'damaged', storedMs, isOpened, problem: found.damage.message },
    );
  }
  return lines.toSorted((a, b) => a.storedMs - b.storedMs || (a.id < b.id ? -1 : 1));
}

/**
 * One more secret that opens the repository. Read back and opened before it counts: a kit that does not open
 * anything would be found out in the worst hour.
 * @returns the id of the new slot
 */
export async function addKey(
  store: ObjectStore,
  opened: OpenedIdentity,
  secret: Secret,
  deps: { readonly random: Random },
  signal: AbortSignal,
): Promise<string> {
  const slot = await makeKeySlot(opened.id, opened.identity.seed, secret, deps.random);
  await store.put(slot.name, slot.bytes, { createOnly: true }, signal);
  const stored = await store.get(slot.name, undefined, signal);
  if (!stored || Buffer.compare(stored.bytes, slot.bytes) !== 0) {
    throw new FerryError('object-missing', `${slot.name} was stored and does not read back`, {
      hint: 'The new secret does not open the repository. Check the store: stateferry probe',
    });
  }
  return slot.name.slice(slot.name.lastIndexOf('/') + 1);
}

/** The slot that a person means by the first digits of its id. @throws usage, path-not-found */
export function chooseKey(lines: readonly KeyLine[], typed: string): KeyLine {
  const matching = lines.filter(({ id }) => id.startsWith(typed.toLowerCase()));
  const [only] = matching;
  if (only && matching.length === 1) return only;
  const what = only ? 'is the beginning of several keys' : 'is no key of this repository';
  throw new FerryError(only ? 'usage' : 'path-not-found', `${typed} ${what}`, {
    hint: 'stateferry keys list prints the ids.',
  });
}

/**
 * What was used to open the repository stays: then somebody can still get in, and that is proved, not assumed. Should
 * another one remove just that at the same time, one of both finds it gone and puts back what it took: two that each
 * remove the other's key would leave a repository that nobody opens.
 * @throws usage for the slot that opened it; object-missing where that is gone
 */
export async function removeKey(
  store: ObjectStore,
  opened: OpenedIdentity,
  key: KeyLine,
  signal: AbortSignal,
): Promise<void> {
  if (key.id === opened.slot) {
    throw new FerryError('usage', `${key.id.slice(0, 8)} is the key that opened the repository`, {
      hint: 'Open it with another one that stays, so that it is known to work, and remove this one then.',
    });
  }
  const name = sharedObjectName('keys', key.id);
  const removed = await store.get(name, undefined, signal).catch(ifTooLong);
  await store.delete(name, signal);
  if (await store.stat(sharedObjectName('keys', opened.slot), signal)) return;
  if (removed) await store.put(name, removed.bytes, {}, signal);
  throw new FerryError('object-missing', 'the key that opened the repository is gone meanwhile', {
    hint: 'Nothing was removed. Look what still opens it before anything else: stateferry keys list',
  });
}

/** No key that anybody had. */
function ifTooLong(error: unknown): undefined {
  if (!isObjectFault(error)) throw error;
  return undefined;
}
