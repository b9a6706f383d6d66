/** Opening a repository: as the machine that writes to it, or as a reader with a secret. */
import { allEnded } from '../base/all-ended.ts';
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { ObjectKey } from '../crypto/frames.ts';
import { publicHalves, type Identity } from '../crypto/identity.ts';
import { openHeader } from '../crypto/sealing.ts';
import { sameBytes } from '../crypto/sodium.ts';
import { HEADER_BYTES } from '../format/header.ts';
import { HEADER_NAME, sharedObjectName, type WriterId } from '../format/names.ts';
import { decodeRepositoryHeader } from '../format/repository-header.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { keepHeapsSmall } from '../workers/small-heaps.ts';
import type { RepositoryCache } from './cache.ts';
import { openKeySlots, type OpenedSlot, type Secret } from './key-slots.ts';
import {
  pinnedHalves,
  writerOf,
  type MachineMemory,
  type MachineState,
  type Writer,
} from './machine.ts';
import {
  readRevocation,
  readRevocations,
  remembered,
  type Revocation,
  type Revocations,
} from './revocations.ts';
import type { SnapshotAuthor } from './snapshots.ts';
import { readWriterRecords, type KnownWriter } from './writers.ts';

export type WriterRepository = {
  readonly store: ObjectStore;
  readonly id: string;
  readonly recipient: Uint8Array;
  readonly root: Uint8Array;
  readonly writer: Writer;
  /** It may not write any more: only to look. */
  readonly revoked: Revocation | undefined;
  readonly memory: MachineMemory;
  readonly cache: RepositoryCache;
};

/** Where packs come from, and what opens them: the identity, or the keys that a grant holds. */
export type PackSource = {
  readonly store: ObjectStore;
  readonly id: string;
  /** The key of the object whose sealed header this is (1 216 bytes); undefined when it does not open. */
  objectKey(name: string, header: Uint8Array): ObjectKey | undefined;
};

export type ReaderRepository = PackSource & {
  readonly identity: Identity;
  readonly writers: ReadonlyMap<WriterId, KnownWriter>;
  readonly cache: RepositoryCache;
};

/**
 * The repository's id as the place itself says.
 * @throws repository-missing, format-too-new
 */
export async function readRepositoryId(store: ObjectStore, signal: AbortSignal): Promise<string> {
  const answer = await store.get(HEADER_NAME, undefined, signal);
  if (!answer) {
    throw new FerryError('repository-missing', `there is no repository in ${store.location}`, {
      hint: `Check the location, or create one: stateferry init '${store.location}'`,
    });
  }
  return decodeRepositoryHeader(answer.bytes);
}

/** @throws repository-missing, object-foreign when another repository lies there than this machine joined */
export async function openForWriting(
  store: ObjectStore,
  memory: MachineMemory,
  cache: RepositoryCache,
  emit: Emit,
  signal: AbortSignal,
): Promise<WriterRepository> {
  const writer = writerOf(memory.state);
  const [, revoked] = await allEnded([
    checkId(store, memory.state, signal),
    ownRevocation(store, writer.id, memory.state, emit, signal),
  ]);
  const halves = pinnedHalves(memory.state);
  return {
    store,
    id: memory.state.repository,
    recipient: halves.recipient,
    root: halves.root,
    writer,
    revoked,
    memory,
    cache,
  };
}

/**
 * @param pinned this machine's state when it has joined; then header and key slots must lead to the same keys
 * @throws nothing-opens, repository-missing, object-foreign
 */
export async function openForReading(
  store: ObjectStore,
  secret: Secret,
  pinned: MachineState | undefined,
  cacheOf: (repository: string) => RepositoryCache,
  emit: Emit,
  signal: AbortSignal,
): Promise<ReaderRepository> {
  const opened = await openIdentity(store, secret, pinned, signal);
  return await openWithIdentity(store, opened, pinned, cacheOf, emit, signal);
}

/** For who has the identity already: reads who may write, and whose snapshots count no longer. */
export async function openWithIdentity(
  store: ObjectStore,
  { id, identity }: Pick<OpenedIdentity, 'id' | 'identity'>,
  pinned: MachineState | undefined,
  cacheOf: (repository: string) => RepositoryCache,
  emit: Emit,
  signal: AbortSignal,
): Promise<ReaderRepository> {
  const [records, revocations] = await allEnded([
    readWriterRecords(store, id, identity, signal),
    readRevocations(store, id, identity.root.publicKey, signal),
  ]);
  for (const { object, error } of [...records.problems, ...revocations.problems]) {
    emit({ type: 'problem', path: object, code: error.code, message: error.message });
  }
  const writers = withRevocations(records.writers, revocations, pinned, emit);
  return { store, id, objectKey: objectKeysOf(identity), identity, writers, cache: cacheOf(id) };
}

export type OpenedIdentity = OpenedSlot & { readonly id: string };

/**
 * The repository's id and identity, and the key slot that gave it.
 * @throws nothing-opens, repository-missing, object-foreign
 */
export async function openIdentity(
  store: ObjectStore,
  secret: Secret,
  pinned: MachineState | undefined,
  signal: AbortSignal,
): Promise<OpenedIdentity> {
  // Readers load indexes and trees, and start threads sooner or later.
  keepHeapsSmall();
  const id = pinned ? await checkId(store, pinned, signal) : await readRepositoryId(store, signal);
  const opened = await openKeySlots(store, id, secret, signal);
  if (pinned) checkPinned(store, opened.identity, pinned);
  return { id, ...opened };
}

/** Everything is sealed to the identity. */
export const objectKeysOf =
  ({ recipient }: Identity): PackSource['objectKey'] =>
  (_name, header) =>
    openHeader(recipient.secretKey, header, HEADER_BYTES);

export const authorOf = (writer: KnownWriter): SnapshotAuthor => ({
  id: writer.id,
  machine: writer.machine,
  signingKey: writer.signingKey,
  coverKey: writer.subkeys.cover,
  revoked: writer.revoked,
});

export const authorSelf = (writer: Writer): SnapshotAuthor => ({
  id: writer.id,
  machine: writer.machine,
  signingKey: writer.signing.publicKey,
  coverKey: writer.subkeys.cover,
});

/** What lies in its place and is not signed by the root key revokes nobody. */
async function ownRevocation(
  store: ObjectStore,
  writer: WriterId,
  state: MachineState,
  emit: Emit,
  signal: AbortSignal,
): Promise<Revocation | undefined> {
  const mark = state.revoked?.[writer];
  try {
    const { root } = pinnedHalves(state);
    const revoked = await readRevocation(store, state.repository, root, writer, signal);
    return revoked ?? (mark && remembered(writer, mark));
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    const message = `${error.message}; ignored`;
    emit({ type: 'notice', code: 'revocation-ignored', message });
    return mark && remembered(writer, mark);
  }
}

/** A record that this machine has seen counts on without the bucket. */
function withRevocations(
  writers: ReadonlyMap<WriterId, KnownWriter>,
  { revoked }: Revocations,
  pinned: MachineState | undefined,
  emit: Emit,
): ReadonlyMap<WriterId, KnownWriter> {
  const marks = pinned?.revoked ?? {};
  const known = [...writers].map(([id, writer]): [WriterId, KnownWriter] => {
    const mark = marks[id];
    const shown = revoked.get(id);
    if (!shown && mark) {
      emit({
        type: 'problem',
        path: sharedObjectName('revocations', id),
        code: 'history-rolled-back',
        message: `the record by which "${writer.machine}" was revoked is gone; it stays revoked here`,
      });
    }
    const revocation = shown ?? (mark && remembered(id, mark));
    return [id, revocation ? { ...writer, revoked: revocation } : writer];
  });
  return new Map(known);
}

async function checkId(
  store: ObjectStore,
  state: MachineState,
  signal: AbortSignal,
): Promise<string> {
  const id = await readRepositoryId(store, signal);
  if (id === state.repository) return id;
  throw new FerryError(
    'object-foreign',
    `${store.location} holds another repository than the one this machine joined`,
    { hint: 'Wrong disk or bucket? If it is meant, join it: stateferry join LOCATION' },
  );
}

function checkPinned(store: ObjectStore, identity: Identity, pinned: MachineState): void {
  const halves = publicHalves(identity);
  const known = pinnedHalves(pinned);
  if (sameBytes(halves.recipient, known.recipient) && sameBytes(halves.root, known.root)) return;
  throw new FerryError(
    'object-foreign',
    `the key slots in ${store.location} lead to other keys than this machine knows`,
    {
      hint: 'Somebody replaced them. Do not type the passphrase again; check who may write there.',
    },
  );
}
