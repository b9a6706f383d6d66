/** init and join: a new repository, and a new machine in one. */
import { toBase64, toHex } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { identityFromSeed, publicHalves, type Identity } from '../crypto/identity.ts';
import { formatRecoveryCode, RECOVERY_SECRET_BYTES } from '../crypto/recovery-code.ts';
import type { Random } from '../crypto/sodium.ts';
import { HEADER_NAME } from '../format/names.ts';
import { encodeRepositoryHeader } from '../format/repository-header.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { makeKeySlot } from './key-slots.ts';
import { writerOf, type MachineState } from './machine.ts';
import { timeText } from './objects.ts';
import { makeWriterRecord } from './writers.ts';

export type CreateRequest = { readonly passphrase: string; readonly machine: string };
export type Created = { readonly state: MachineState; readonly recoveryCode: string };

/**
 * Creates a repository in an empty place: key slots first, then this machine's writer record, the header last,
 * so that an interrupted `init` leaves nothing that passes for a repository.
 * @param keep called before the header is stored, with what only this process knows; when it fails nothing of
 *   the repository can be opened by anybody, so nothing was created
 * @throws repository-exists, repository-damaged (what is left of one lies there)
 */
export async function createRepository(
  store: ObjectStore,
  request: CreateRequest,
  random: Random,
  keep: (created: Created) => Promise<void>,
  signal: AbortSignal,
): Promise<Created> {
  await refuseExisting(store, signal);
  const repository = toHex(random(16));
  const seed = random(32);
  const code = random(RECOVERY_SECRET_BYTES);
  const identity = identityFromSeed(seed);
  const state = newMachine(repository, identity, request.machine, random);
  for (const secret of [
    { with: 'passphrase', passphrase: request.passphrase } as const,
    { with: 'recovery code', code } as const,
  ]) {
    const slot = await makeKeySlot(repository, seed, secret, random);
    await store.put(slot.name, slot.bytes, { createOnly: true }, signal);
  }
  await storeWriterRecord(store, repository, identity, state, signal);
  const created = { state, recoveryCode: formatRecoveryCode(code) };
  await keep(created);
  const header = encodeRepositoryHeader(repository);
  const answer = await store.put(HEADER_NAME, header, { createOnly: true }, signal);
  if (answer.outcome === 'exists') throw exists(store);
  return created;
}

/** Lets this machine write: a writer record under the root key, and the public halves pinned in the state. */
export async function joinRepository(
  store: ObjectStore,
  repository: string,
  identity: Identity,
  machine: string,
  random: Random,
  signal: AbortSignal,
): Promise<MachineState> {
  const state = newMachine(repository, identity, machine, random);
  await storeWriterRecord(store, repository, identity, state, signal);
  return state;
}

function newMachine(
  repository: string,
  identity: Identity,
  machine: string,
  random: Random,
): MachineState {
  const halves = publicHalves(identity);
  return {
    format: 1,
    repository,
    recipient: toBase64(halves.recipient),
    root: toBase64(halves.root),
    machine,
    writer: {
      id: toHex(random(16)),
      key: toBase64(random(32)),
      signingSeed: toBase64(random(32)),
    },
    highWater: {},
  };
}

async function storeWriterRecord(
  store: ObjectStore,
  repository: string,
  identity: Identity,
  state: MachineState,
  signal: AbortSignal,
): Promise<void> {
  const time = timeText(await store.dateMs(signal));
  const record = makeWriterRecord(repository, identity, writerOf(state), time);
  await store.put(record.name, record.bytes, { createOnly: true }, signal);
}

/** @throws repository-exists, repository-damaged */
export async function refuseExisting(store: ObjectStore, signal: AbortSignal): Promise<void> {
  if (await store.stat(HEADER_NAME, signal)) throw exists(store);
  for await (const _ of store.list('snapshots/', signal)) throw headerLost(store);
}

/** A fresh header would shut out everybody who could still read what is there. */
function headerLost(store: ObjectStore): FerryError {
  const message = `${store.location} holds snapshots, but its ${HEADER_NAME} is missing`;
  return new FerryError('repository-damaged', message, {
    hint: `Put ${HEADER_NAME} back from a copy of the repository, or choose another place.`,
  });
}

function exists(store: ObjectStore): FerryError {
  return new FerryError('repository-exists', `there is already a repository in ${store.location}`, {
    hint: `To use it from this machine: stateferry join '${store.location}'`,
  });
}
