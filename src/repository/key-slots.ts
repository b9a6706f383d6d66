/** Key slots: the identity seed, wrapped for what a person has. */
import { fromBase64, toBase64, toHex } from '../base/bytes.ts';
import { FerryError, isObjectFault } from '../base/errors.ts';
import { openBox, sealBox } from '../crypto/box.ts';
import { identityFromSeed, type Identity } from '../crypto/identity.ts';
import { kdf } from '../crypto/kdf.ts';
import { ARGON2_COST, passphraseKey } from '../crypto/passphrase.ts';
import type { Random } from '../crypto/sodium.ts';
import {
  decodeKeySlot,
  encodeKeySlot,
  KEY_SLOT_BYTES_MAX,
  keySlotAssociated,
  type KeySlot,
} from '../format/key-slot.ts';
import { sharedObjectName } from '../format/names.ts';
import type { ListedObject, ObjectStore } from '../store/object-store.ts';
import { readObject } from './objects.ts';
import { visitEach } from './read-each.ts';

/** What a person gives to open a repository. Never printed, never kept. */
export type Secret =
  | { readonly with: 'passphrase'; readonly passphrase: string }
  | { readonly with: 'recovery code'; readonly code: Uint8Array }
  | { readonly with: 'reader key'; readonly key: Uint8Array };

const SLOTS_MAX = 256;

/** The slot's name and bytes. */
export async function makeKeySlot(
  repository: string,
  seed: Uint8Array,
  secret: Secret,
  random: Random,
): Promise<{ name: string; bytes: Uint8Array }> {
  const slot = toHex(random(16));
  const unsealed = { repository, slot, opens: opensFor(secret, random) };
  const key = await slotKey(secret, unsealed);
  const box = sealBox(key, keySlotAssociated(unsealed), seed, random);
  return { name: sharedObjectName('keys', slot), bytes: encodeKeySlot({ ...unsealed, box }) };
}

/** What a secret opened: the identity, and the id of the slot that held it. */
export type OpenedSlot = { readonly identity: Identity; readonly slot: string };

/**
 * The identity, from the first slot that the secret opens.
 * @throws nothing-opens; what is wrong with the first bad slot when there is no whole one of this kind
 */
export async function openKeySlots(
  store: ObjectStore,
  repository: string,
  secret: Secret,
  signal: AbortSignal,
): Promise<OpenedSlot> {
  let slots = 0;
  /** Slots of this kind that are whole and did not open: the secret is wrong. */
  let refused = 0;
  let firstDamage: FerryError | undefined;
  for (const found of await readKeySlots(store, repository, signal)) {
    slots += 1;
    if ('damage' in found) {
      firstDamage ??= found.damage;
      continue;
    }
    const { slot } = found;
    if (slot.opens.with !== secret.with) continue;
    try {
      const seed = await trySlot(slot, secret);
      if (seed) return { identity: identityFromSeed(seed), slot: slot.slot };
      refused += 1;
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      firstDamage ??= error;
    }
  }
  if (firstDamage && refused === 0) throw firstDamage;
  const also = firstDamage ? ` (and ${firstDamage.message})` : '';
  throw new FerryError('nothing-opens', nothingOpens(secret, slots, refused) + also, {
    hint:
      secret.with === 'recovery code'
        ? 'Is it of the newest kit? A code that was removed opens nothing; the passphrase may.'
        : 'Try again, or use the recovery code from the recovery kit (--recovery-file FILE).',
  });
}

export type FoundSlot = { readonly name: string; readonly modifiedMs: number } & (
  | { readonly slot: KeySlot }
  | { readonly damage: FerryError }
);

/**
 * Every key slot, damaged ones with what is wrong with them; at most 256, the oldest first: who may store some more
 * cannot put them before those that people have the secrets of.
 */
export async function readKeySlots(
  store: ObjectStore,
  repository: string,
  signal: AbortSignal,
): Promise<FoundSlot[]> {
  const found: FoundSlot[] = [];
  await visitEach(
    oldest(SLOTS_MAX, store.list('keys/', signal)),
    async ({ name }) => {
      const slot = decodeKeySlot(await readObject(store, name, KEY_SLOT_BYTES_MAX, signal), name);
      checkPlace(slot, name, repository);
      return slot;
    },
    {
      good: ({ name, modifiedMs }, slot) => void found.push({ name, modifiedMs, slot }),
      fault: ({ name, modifiedMs }, damage) => void found.push({ name, modifiedMs, damage }),
    },
    signal,
  );
  return found;
}

async function* oldest(
  max: number,
  listing: AsyncIterable<ListedObject>,
): AsyncGenerator<ListedObject> {
  const all: ListedObject[] = [];
  for await (const listed of listing) all.push(listed);
  yield* all.toSorted((a, b) => a.modifiedMs - b.modifiedMs).slice(0, max);
}

function checkPlace(slot: KeySlot, name: string, repository: string): void {
  if (slot.repository === repository && name === sharedObjectName('keys', slot.slot)) return;
  throw new FerryError('object-foreign', `${name} was swapped: it is a key slot of another place`);
}

/** The seed, or undefined when the secret is not the one of this slot. */
async function trySlot(slot: KeySlot, secret: Secret): Promise<Uint8Array | undefined> {
  const key = await slotKey(secret, slot);
  const seed = openBox(key, keySlotAssociated(slot), slot.box);
  return seed?.length === 32 ? seed : undefined;
}

function opensFor(secret: Secret, random: Random): KeySlot['opens'] {
  if (secret.with !== 'passphrase') return { with: secret.with };
  return { with: 'passphrase', salt: toBase64(random(16)), ...ARGON2_COST };
}

async function slotKey(secret: Secret, slot: Omit<KeySlot, 'box'>): Promise<Uint8Array> {
  if (secret.with === 'recovery code') return kdf(secret.code, 'slot');
  if (secret.with === 'reader key') return kdf(secret.key, 'slot');
  if (slot.opens.with !== 'passphrase') throw new FerryError('bug', 'slot and secret differ');
  const { salt, memoryKiB, passes, lanes } = slot.opens;
  const cost = { memoryKiB, passes, lanes };
  return kdf(await passphraseKey(secret.passphrase, fromBase64(salt), cost), 'slot');
}

function nothingOpens(secret: Secret, slots: number, refused: number): string {
  if (slots === 0) return 'the repository has no key slots';
  if (refused === 0) return `none of the ${slots} key slots is for a ${secret.with}`;
  return `wrong ${secret.with}: it opens none of the ${slots} key slots`;
}
