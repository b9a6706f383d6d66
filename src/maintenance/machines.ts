/** machines: who may write to the repository, and taking that away. */
import { FerryError, isObjectFault } from '../base/errors.ts';
import type { WriterId } from '../format/names.ts';
import type { CountedSnapshot } from '../format/revocation.ts';
import type { ReaderRepository } from '../repository/open.ts';
import { makeRevocation, readRevocation, type Revocation } from '../repository/revocations.ts';
import type { OpenedCover } from '../repository/snapshots.ts';
import type { KnownWriter } from '../repository/writers.ts';

export type MachineLine = {
  readonly id: WriterId;
  readonly machine: string;
  /** When it was let in. */
  readonly since: string;
  /** When it was revoked; null: it may write. */
  readonly revoked: string | null;
  /** That count. */
  readonly snapshots: number;
  readonly lastSnapshot: { readonly id: string; readonly time: string } | null;
  readonly installs: readonly string[];
  /** Sealed, of all its packs that lie in the repository. */
  readonly bytesStored: number;
};

/** Oldest first. */
export async function listMachines(
  { writers, store }: ReaderRepository,
  snapshots: readonly OpenedCover[],
  signal: AbortSignal,
): Promise<MachineLine[]> {
  const bytes = new Map<string, number>();
  for await (const { name, size } of store.list('packs/', signal)) {
    const writer = name.split('/')[1] ?? '';
    bytes.set(writer, (bytes.get(writer) ?? 0) + size);
  }
  const lines = [...writers.values()].map((writer): MachineLine => {
    const own = snapshots.filter((one) => one.writer === writer.id);
    const last = own.at(-1);
    return {
      id: writer.id,
      machine: writer.machine,
      since: writer.since,
      revoked: writer.revoked?.time ?? null,
      snapshots: own.length,
      lastSnapshot: last ? { id: last.id, time: last.cover.time } : null,
      installs: [...new Set(own.map(({ cover }) => cover.install))].toSorted(),
      bytesStored: bytes.get(writer.id) ?? 0,
    };
  });
  return lines.toSorted((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
}

/**
 * By its name, or by the first digits of its id where several have one name.
 * @throws path-not-found, install-ambiguous
 */
export function chooseMachine({ writers }: ReaderRepository, typed: string): KnownWriter {
  const all = [...writers.values()];
  const named = all.filter(({ machine }) => machine === typed);
  const found = named.length > 0 ? named : all.filter(({ id }) => isBeginningOf(id, typed));
  const [only] = found;
  if (only && found.length === 1) return only;
  if (!only) {
    throw new FerryError('path-not-found', `no machine is called ${typed}`, {
      hint: 'stateferry machines lists them, with their ids.',
    });
  }
  const ids = found.map(({ id, since }) => `${id.slice(0, 8)} (since ${since.slice(0, 10)})`);
  throw new FerryError(
    'install-ambiguous',
    `${typed} is ${found.length} machines: ${ids.join(', ')}`,
    {
      hint: 'Give the first digits of the id. One that joined again stands there twice: revoke both.',
    },
  );
}

const isBeginningOf = (id: string, typed: string): boolean =>
  typed.length >= 4 && id.startsWith(typed.toLowerCase());

/**
 * What counts of a machine up to a snapshot that somebody vouches for: what its chain leads back to. Whoever took
 * the machine can have made others with old numbers; where the chain, or a forget record, says which snapshot had a
 * number, no other one counts.
 * @param forgotten numbers of this machine whose snapshots were deleted on purpose
 */
export function countedUpTo(
  last: OpenedCover,
  own: readonly OpenedCover[],
  forgotten: ReadonlySet<number>,
): OpenedCover[] {
  const counted: OpenedCover[] = [];
  const byNumber = Map.groupBy(own, ({ cover }) => cover.sequence);
  let said: { readonly number: number; readonly digest: string } | undefined = {
    number: last.cover.sequence,
    digest: last.digest,
  };
  for (const [number, all] of [...byNumber].toSorted(([a], [b]) => b - a)) {
    if (number > last.cover.sequence) continue;
    const isSaid = said?.number === number;
    const there: readonly OpenedCover[] = isSaid
      ? all.filter(({ digest }) => digest === said?.digest)
      : forgotten.has(number)
        ? []
        : all;
    for (const one of there) counted.push(one);
    const [only, another] = there;
    const digest = only && !another ? only.cover.previous : null;
    said = digest === null ? undefined : { number: number - 1, digest };
  }
  return counted.toReversed();
}

/**
 * From here on nothing that this machine stores counts but these snapshots. Stored once: a record that stands already
 * stays as it is, and what somebody else put in its place is replaced.
 */
export async function revokeMachine(
  { store, id, identity }: ReaderRepository,
  writer: WriterId,
  snapshots: readonly CountedSnapshot[],
  signal: AbortSignal,
): Promise<Revocation> {
  const { root } = identity;
  const timeMs = await store.dateMs(signal);
  const { name, bytes } = makeRevocation(id, root, writer, { timeMs, snapshots });
  const answer = await store.put(name, bytes, { createOnly: true }, signal);
  const read = (): Promise<Revocation | undefined> =>
    readRevocation(store, id, root.publicKey, writer, signal).catch(notOurs);
  if (answer.outcome === 'exists' && !(await read())) await store.put(name, bytes, {}, signal);
  const stored = await read();
  if (stored) return stored;
  throw new FerryError('object-missing', `${name} was stored and does not read back`, {
    hint: 'The machine is not revoked. Check the store (stateferry probe), and run the same again.',
  });
}

/** What lies there revokes nobody. */
function notOurs(error: unknown): undefined {
  if (!isObjectFault(error)) throw error;
  return undefined;
}
