/**
 * What was forgotten in the source goes from a mirror too: only snapshots, only what a forget record of the root key
 * names by the digest of these very bytes, and never so that a machine is left without a newer one. The source may be
 * hostile: it can show old records and hide what came after them.
 *
 * Packs and pack lists stay. What a snapshot needs cannot be seen without a secret, and a tombstone alone does not say
 * that nothing needs what it names: `repair` announces damaged packs that snapshots need, and the mirror may have the
 * last good copy of one. A prune of the mirror itself frees them.
 */
import { toHex } from '../../base/bytes.ts';
import { HOUR_MS } from '../../base/durations.ts';
import { isObjectFault } from '../../base/errors.ts';
import { inLanes } from '../../base/lanes.ts';
import { blake2b256 } from '../../crypto/sodium.ts';
import { FORGET_RECORD_BYTES_MAX } from '../../format/forget-record.ts';
import { parseWriterObjectName, type WriterId } from '../../format/names.ts';
import { SNAPSHOT_LIMITS } from '../../format/snapshot.ts';
import type { Authenticity } from '../../repository/authenticity.ts';
import { openForgetRecord } from '../../repository/forget-records.ts';
import type { MachineState } from '../../repository/machine.ts';
import { readObject } from '../../repository/objects.ts';
import type { ListedObject, ObjectStore } from '../../store/object-store.ts';

export type MirroredPlace = {
  readonly to: ObjectStore;
  /** Snapshots, after everything was copied. */
  readonly there: ReadonlyMap<string, ListedObject>;
  readonly source: ReadonlyMap<string, ListedObject>;
  readonly repository: string;
  readonly root: Uint8Array;
  /** Has seen the writer records. */
  readonly authenticity: Authenticity;
  /** What this machine has seen in the source. */
  readonly marks: MachineState['highWater'];
};

export type ForgottenThere = {
  readonly doomed: readonly ListedObject[];
  /** Named by a record, but no newer one of the same machine is sure to be there. */
  readonly held: readonly string[];
};

const READS_AT_ONCE = 4;
/** Within one run the order in which snapshots come is the source's. */
const SAME_RUN_MS = HOUR_MS;

export async function findForgotten(
  place: MirroredPlace,
  signal: AbortSignal,
): Promise<ForgottenThere> {
  const { to, there, source } = place;
  const only = [...there.values()].filter(({ name }) => !source.has(name));
  if (only.length === 0) return { doomed: [], held: [] };
  const forgotten = await digestsForgotten(place, signal);
  const named: ListedObject[] = [];
  await inLanes(only, READS_AT_ONCE, signal, async (one) => {
    const writer = parseWriterObjectName(one.name)?.writer;
    const digest = await digestOf(to, one.name, signal);
    if (writer && digest !== undefined && forgotten.get(writer)?.has(digest)) named.push(one);
  });
  const doomed: ListedObject[] = [];
  const held: string[] = [];
  for (const [writer, own] of Map.groupBy(named, writerOf)) {
    if (writer === undefined) continue;
    const newer = await newestUnnamed(place, writer, forgotten.get(writer) ?? new Set(), signal);
    for (const one of own) {
      const isSafe = newer !== undefined && newer.modifiedMs + SAME_RUN_MS >= one.modifiedMs;
      if (isSafe) doomed.push(one);
      else held.push(one.name);
    }
  }
  return { doomed, held };
}

const writerOf = ({ name }: ListedObject): WriterId | undefined =>
  parseWriterObjectName(name)?.writer;

type Digests = ReadonlyMap<WriterId, ReadonlySet<string>>;

/** By the records that the mirror has: every one that the source showed is there by now. */
async function digestsForgotten(
  { to, repository, root }: MirroredPlace,
  signal: AbortSignal,
): Promise<Digests> {
  const forgotten = new Map<WriterId, Set<string>>();
  for await (const { name } of to.list('forgets/', signal)) {
    try {
      const bytes = await readObject(to, name, FORGET_RECORD_BYTES_MAX, signal);
      const { writer, snapshots } = openForgetRecord(bytes, name, repository, root);
      const own = forgotten.get(writer) ?? new Set<string>();
      for (const { digest } of snapshots) own.add(digest);
      forgotten.set(writer, own);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
    }
  }
  return forgotten;
}

async function digestOf(
  store: ObjectStore,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const answer = await store.get(name, undefined, signal);
  const isShort = answer && answer.bytes.length <= SNAPSHOT_LIMITS.snapshotBytesMax;
  return isShort ? toHex(blake2b256(answer.bytes)) : undefined;
}

/**
 * The one that came last to the mirror, by the mirror's own time, of those that count and that no record names: a
 * record never names a machine's newest. The newest that this machine has seen itself must be there, or forgotten.
 */
async function newestUnnamed(
  { to, there, authenticity, marks }: MirroredPlace,
  writer: WriterId,
  forgotten: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ListedObject | undefined> {
  const mark = marks[writer];
  const isMarkThere = !mark || there.has(`snapshots/${writer}/${mark.snapshot}`);
  if (!isMarkThere && !forgotten.has(mark.digest)) return undefined;
  const own = [...there.values()].filter((one) => writerOf(one) === writer);
  for (const one of own.toSorted((a, b) => b.modifiedMs - a.modifiedMs)) {
    const answer = await to.get(one.name, undefined, signal);
    if (!answer || forgotten.has(toHex(blake2b256(answer.bytes)))) continue;
    try {
      if (authenticity.check(one.name, answer.bytes)) return one;
    } catch (error) {
      if (!isObjectFault(error)) throw error;
    }
  }
  return undefined;
}
