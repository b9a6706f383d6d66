/** Which snapshots there are, verified, oldest first; and which one a person means. */
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit, FerryEvent } from '../base/events.ts';
import { countText } from '../base/quantity-text.ts';
import { parseWriterObjectName, type WriterId } from '../format/names.ts';
import { SNAPSHOT_LIMITS } from '../format/snapshot.ts';
import type { RepositoryCache } from './cache.ts';
import { readEach } from './read-each.ts';
import { readObject } from './objects.ts';
import { authorOf, authorSelf, type ReaderRepository, type WriterRepository } from './open.ts';
import { countsStill } from './revocations.ts';
import { machineOf, openCover, type OpenedCover, type SnapshotAuthor } from './snapshots.ts';

export type StoredSnapshot = OpenedCover & {
  /** When it was stored, by the store's own time: its writer has no say in this. */
  readonly storedMs: number;
};

/**
 * Every snapshot that counts: signed by a writer that the root key let in, and not made after it was revoked. What
 * cannot be verified is announced as a problem and left out. A writer sees only its own machine's.
 */
export async function listSnapshots(
  repository: ReaderRepository | WriterRepository,
  emit: Emit,
  signal: AbortSignal,
): Promise<StoredSnapshot[]> {
  const authors = authorsOf(repository);
  const only = authors.size === 1 && 'writer' in repository ? `${repository.writer.id}/` : '';
  const aside: WriterId[] = [];
  const listing = repository.store.list(`snapshots/${only}`, signal);
  const all = await readEach(
    listing,
    async (listed): Promise<StoredSnapshot> => ({
      ...(await coverOf(repository, authors, listed, signal)),
      storedMs: listed.modifiedMs,
    }),
    ({ name }, { code, message }) => {
      const revoked = revokedWriterOf(name, authors);
      if (revoked && code !== 'object-missing') aside.push(revoked);
      else emit({ type: 'problem', path: name, code, message });
    },
    signal,
  );
  const covers = all.filter((one) => counts(one, authors));
  for (const one of all) if (!counts(one, authors)) aside.push(one.writer);
  for (const event of asideNotices(aside, authors)) emit(event);
  for (const { machine, cover } of findForks(covers)) {
    emit({
      type: 'notice',
      code: 'history-forked',
      message: `${machine} made two snapshots with the number ${cover.sequence}`,
      hint: 'Two machines use the same settings. Give the second one its own: stateferry join LOCATION',
    });
  }
  return inOrder(covers);
}

const counts = (
  { writer, digest, cover }: OpenedCover,
  authors: ReadonlyMap<WriterId, SnapshotAuthor>,
): boolean => {
  const revoked = authors.get(writer)?.revoked;
  return !revoked || countsStill(revoked, { sequence: cover.sequence, digest });
};

/**
 * Of a revoked machine nothing counts but what its revocation names, whatever else lies there. Should one of those
 * have been put out of shape, it is missed all the same: see `findHoles`.
 */
function revokedWriterOf(
  name: string,
  authors: ReadonlyMap<WriterId, SnapshotAuthor>,
): WriterId | undefined {
  const writer = parseWriterObjectName(name)?.writer;
  return writer && authors.get(writer)?.revoked?.digests ? writer : undefined;
}

/** Once for each machine. */
function asideNotices(
  aside: readonly WriterId[],
  authors: ReadonlyMap<WriterId, SnapshotAuthor>,
): FerryEvent[] {
  return [...Map.groupBy(aside, (writer) => writer)].map(([writer, { length }]) => {
    const { machine = '', revoked } = authors.get(writer) ?? {};
    const what = length === 1 ? 'a snapshot' : `${length} snapshots`;
    const when = revoked?.time.slice(0, 10);
    return {
      type: 'notice',
      code: 'revoked-aside',
      message: `"${machine}" was revoked on ${when}; ${what} that it made later: left aside`,
      hint: 'Take away what it can still write to the bucket with: its access key or token.',
    };
  });
}

/** Snapshots whose number another one of the same writer has too. */
function findForks(covers: readonly OpenedCover[]): OpenedCover[] {
  const seen = new Set<string>();
  return covers.filter(({ writer, cover }) => {
    const place = `${writer} ${cover.sequence}`;
    const isTaken = seen.has(place);
    seen.add(place);
    return isTaken;
  });
}

async function coverOf(
  repository: ReaderRepository | WriterRepository,
  authors: ReadonlyMap<WriterId, SnapshotAuthor>,
  { name, size }: { readonly name: string; readonly size: number },
  signal: AbortSignal,
): Promise<OpenedCover> {
  const writer = parseWriterObjectName(name)?.writer;
  const author = writer && authors.get(writer);
  if (!author) {
    throw new FerryError(
      'object-foreign',
      `${name} was written by a machine with no valid writer record`,
    );
  }
  // Under the key that it was verified with: another repository may call itself by the same id.
  const row = `${name} ${size} ${toHex(author.signingKey)}`;
  const known = cachedCover(repository.cache, row);
  if (known) return { ...known, machine: machineOf(author.machine, known.cover) };
  const bytes = await readObject(repository.store, name, SNAPSHOT_LIMITS.snapshotBytesMax, signal);
  const opened = openCover(bytes, name, repository.id, author);
  repository.cache.setObject(row, utf8(JSON.stringify(opened)));
  return opened;
}

/** What this machine verified before; written by nobody but us. */
function cachedCover(cache: RepositoryCache, row: string): OpenedCover | undefined {
  const bytes = cache.object(row);
  if (!bytes) return undefined;
  try {
    // Our own words from our own cache, in the shape they were written.
    return JSON.parse(fromUtf8(bytes)) as OpenedCover;
  } catch {
    // A damaged row: the snapshot itself is read again.
    return undefined;
  }
}

/** Whose snapshots can be judged here: everybody's with the identity, else this machine's own. */
export function authorsOf(
  repository: ReaderRepository | WriterRepository,
): ReadonlyMap<WriterId, SnapshotAuthor> {
  if ('writer' in repository) {
    const { writer, revoked } = repository;
    return new Map([[writer.id, { ...authorSelf(writer), revoked }]]);
  }
  return new Map([...repository.writers].map(([id, writer]) => [id, authorOf(writer)]));
}

/**
 * Oldest first. What came after what in one chain its numbers say: what was stored while the store's clock ran ahead
 * would otherwise be the latest for years. Between chains, and of copies, which come in any order, it is the times;
 * and no snapshot is younger than the store's own time of it, whatever its writer says.
 */
function inOrder(covers: readonly StoredSnapshot[]): StoredSnapshot[] {
  const places = new Map<StoredSnapshot, Place>();
  const chains = Map.groupBy(covers, ({ writer, id, cover }) => (cover.origin ? id : writer));
  for (const chain of chains.values()) {
    let after: Place = { storedMs: Infinity, claimedMs: Infinity };
    for (const one of chain.toSorted((a, b) => b.cover.sequence - a.cover.sequence)) {
      const claimedMs = Math.min(after.claimedMs, Date.parse(one.cover.time));
      after = { claimedMs, storedMs: Math.min(after.storedMs, claimedMs, one.storedMs) };
      places.set(one, after);
    }
  }
  const ranked = [...places].toSorted(
    ([one, a], [other, b]) =>
      a.storedMs - b.storedMs ||
      a.claimedMs - b.claimedMs ||
      one.cover.sequence - other.cover.sequence,
  );
  return ranked.map(([snapshot]) => snapshot);
}

/** The time that counts, and the one that its writers say; neither is later than that of what follows in the chain. */
type Place = { readonly storedMs: number; readonly claimedMs: number };

/**
 * @param wanted an id, a unique prefix of one, `latest` or `latest~N`; undefined: the latest
 * @param install `brand[:profile][@machine]`; needed for `latest` when the repository holds several installs
 * @throws snapshot-not-found, install-not-found, install-ambiguous
 */
export function chooseSnapshot(
  snapshots: readonly OpenedCover[],
  wanted: string | undefined,
  install: string | undefined,
): OpenedCover {
  const latest = /^latest(?:~(\d{1,6}))?$/.exec(wanted ?? 'latest');
  if (!latest) return byId(snapshots, wanted ?? '');
  const meant = install === undefined ? onlyInstall(snapshots) : ofInstall(snapshots, install);
  const back = Number(latest[1] ?? 0);
  const chosen = meant.at(-1 - back);
  if (chosen) return chosen;
  throw new FerryError(
    'snapshot-not-found',
    `${wanted} is none: the install has only ${countText(meant.length, 'snapshot')}`,
    {
      hint: 'stateferry snapshots lists them.',
    },
  );
}

/**
 * The newest snapshot of each install of one machine.
 * @throws snapshot-not-found, install-not-found, install-ambiguous
 */
export function newestOfMachine(
  snapshots: readonly OpenedCover[],
  wanted: string | undefined,
): readonly OpenedCover[] {
  const machines = machinesOf(snapshots);
  const [machine = wanted, another] = wanted === undefined ? machines : [wanted];
  if (machine === undefined) return onlyInstall(snapshots);
  if (another !== undefined) {
    throw new FerryError(
      'install-ambiguous',
      `the repository holds ${machines.length} machines: ${machines.join(', ')}`,
      { hint: 'Say which one: --install @MACHINE' },
    );
  }
  if (!machines.includes(machine)) {
    throw new FerryError('install-not-found', `no snapshot is of a machine named ${machine}`, {
      hint: `There is ${machines.join(', ') || 'none at all'}.`,
    });
  }
  const own = snapshots.filter((one) => one.machine === machine);
  return [...new Map(own.map((one) => [one.cover.install, one])).values()];
}

export const machinesOf = (snapshots: readonly OpenedCover[]): string[] =>
  [...new Set(snapshots.map(({ machine }) => machine))].toSorted();

function byId(snapshots: readonly OpenedCover[], wanted: string): OpenedCover {
  const found = snapshots.filter(({ id }) => id.startsWith(wanted.toLowerCase()));
  const [only] = found;
  if (only && found.length === 1) return only;
  const why = found.length === 0 ? 'no snapshot has' : `${found.length} snapshots have`;
  throw new FerryError('snapshot-not-found', `${why} an id that begins with ${wanted}`, {
    hint: 'stateferry snapshots lists them with their ids.',
  });
}

function onlyInstall(snapshots: readonly OpenedCover[]): readonly OpenedCover[] {
  const installs = new Set(snapshots.map(({ cover, machine }) => `${cover.install}@${machine}`));
  if (installs.size === 0) {
    throw new FerryError('snapshot-not-found', 'the repository holds no snapshot yet', {
      hint: 'Push one from the old machine: stateferry push',
    });
  }
  if (installs.size === 1) return snapshots;
  throw new FerryError(
    'install-ambiguous',
    `the repository holds ${installs.size} installs: ${[...installs].toSorted().join(', ')}`,
    {
      hint: 'Say which one: --install INSTALL',
    },
  );
}

function ofInstall(snapshots: readonly OpenedCover[], install: string): readonly OpenedCover[] {
  const [name = '', machine] = install.split('@');
  const found = snapshots.filter(
    (one) => sameInstall(one.cover.install, name) && (machine ?? one.machine) === one.machine,
  );
  const machines = new Set(found.map((one) => one.machine));
  if (found.length > 0 && machines.size === 1) return found;
  if (found.length === 0) {
    throw new FerryError('install-not-found', `no snapshot is of ${install}`, {
      hint: 'stateferry snapshots lists what there is.',
    });
  }
  throw new FerryError(
    'install-ambiguous',
    `${install} exists on ${machines.size} machines: ${[...machines].toSorted().join(', ')}`,
    {
      hint: `Say which one: --install ${name}@MACHINE`,
    },
  );
}

/** `openclaw` and `openclaw:default` are one install. */
const sameInstall = (a: string, b: string): boolean =>
  a.replace(/:default$/, '') === b.replace(/:default$/, '');
