/** Opening the repository that is meant, as the machine that writes to it or as a reader. */
import { FerryError } from '../../base/errors.ts';
import { LocalCache } from '../../repository/cache.ts';
import type { Secret } from '../../repository/key-slots.ts';
import type { MachineMemory, MachineState } from '../../repository/machine.ts';
import {
  openForReading,
  openForWriting,
  openIdentity,
  readRepositoryId,
  type OpenedIdentity,
  type ReaderRepository,
  type WriterRepository,
} from '../../repository/open.ts';
import { handOverRepository, makePrivateFolder } from '../../settings/places.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { openStore } from '../../store/open-store.ts';
import { rememberedStoreSettings } from './probing.ts';
import { rememberRevocations } from '../members/revocations-seen.ts';
import { secretIfGiven, withAskedSecret, type Session } from '../session.ts';

export async function storeAt(
  session: Session,
  location: Location,
  choices: { readonly createFolder?: boolean } = {},
): Promise<ObjectStore> {
  const store = await openStore(location, {
    emit: session.emit,
    clock: session.clock,
    ...rememberedStoreSettings(session, location),
    createFolder: choices.createFolder,
  });
  const { environment } = session;
  if (location.kind === 'folder' && environment.actsForOther) {
    const isNew = choices.createFolder === true;
    session.atEnd(() => handOverRepository(location.path, environment.owner, isNew));
  }
  session.atEnd(() => store.close());
  return store;
}

/** @throws not-joined */
export async function writerAt(session: Session, location: Location): Promise<WriterRepository> {
  const memory = memoryOf(session, location);
  const store = await storeAt(session, location);
  const cache = cacheOf(session, memory.state.repository);
  const repository = await openForWriting(store, memory, cache, session.emit, session.signal);
  if (repository.revoked) rememberRevocations(session, location, [repository.revoked]);
  return repository;
}

/** As a reader, with a secret that is asked for unless it was given. */
export async function readerAt(
  session: Session,
  location: Location,
  given?: Secret,
): Promise<ReaderRepository> {
  const store = await storeAt(session, location);
  const open = (secret: Secret): Promise<ReaderRepository> =>
    openForReading(
      store,
      secret,
      stateOf(session, location),
      (id) => cacheOf(session, id),
      session.emit,
      session.signal,
    );
  const repository = await (given ? open(given) : withSecret(session, location, store, open));
  const revoked = [...repository.writers.values()].flatMap((writer) => writer.revoked ?? []);
  rememberRevocations(session, location, revoked);
  return repository;
}

/** What `keys` works on: the identity itself, and which key gave it. */
export async function identityAt(
  session: Session,
  location: Location,
): Promise<{ readonly store: ObjectStore; readonly opened: OpenedIdentity }> {
  const store = await storeAt(session, location);
  const pinned = stateOf(session, location);
  const open = (secret: Secret): Promise<OpenedIdentity> =>
    openIdentity(store, secret, pinned, session.signal);
  return { store, opened: await withSecret(session, location, store, open) };
}

/** Nobody shall type a passphrase for a place where there is no repository. */
async function withSecret<T>(
  session: Session,
  location: Location,
  store: ObjectStore,
  open: (secret: Secret) => Promise<T>,
): Promise<T> {
  const known = await secretIfGiven(session);
  if (known) return open(known);
  await readRepositoryId(store, session.signal);
  return withAskedSecret(session, location, open);
}

export const stateOf = (session: Session, location: Location): MachineState | undefined =>
  session.settings.repository(printLocation(location))?.machine;

/** What this machine remembers there, kept in the settings. */
function memoryOf(session: Session, location: Location): MachineMemory {
  const known = printLocation(location);
  const first = stateOf(session, location);
  if (!first) {
    throw new FerryError('not-joined', `this machine has not joined the repository in ${known}`, {
      hint: `stateferry join '${known}' (or init, when there is none yet)`,
    });
  }
  let state = first;
  return {
    get state() {
      return state;
    },
    save: (next) => {
      session.settings.updateRepository(known, (one) => ({ ...one, machine: next }));
      state = next;
      return Promise.resolve();
    },
  };
}

export function cacheOf(session: Session, repository: string): LocalCache {
  makePrivateFolder(session.places.cacheFolder, session.environment);
  const cache = LocalCache.open(session.places.cacheFolder, repository, session.emit);
  session.atEnd(() => cache.close());
  return cache;
}
