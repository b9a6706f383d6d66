/**
 * Object Lock, kept up: what a snapshot needs, and what opens it, stays locked for as many days from now as the bucket
 * locks new objects for. Never longer, so that a repository can be left behind; by version, and always the first one
 * of a name, so that nobody has a replacement locked in its place.
 */
import { z } from 'zod';
import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { DAY_MS } from '../base/durations.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { inLanes } from '../base/lanes.ts';
import { HEADER_NAME } from '../format/names.ts';
import type { ReaderRepository } from '../repository/open.ts';
import { readUsedObjects } from '../repository/used-objects.ts';
import type { Retentions, StoredVersion } from '../store/object-store.ts';

/** What has less than this part of its days left is extended: a run every few weeks is often enough. */
const DUE_PART = 1 / 2;
const REQUESTS_AT_ONCE = 8;

export type ExtendRequest = {
  /** As the bucket locks new objects. */
  readonly days: number;
  /**
   * This machine's own clock. Nothing rests on it, but that a store which says that it is another century has nothing
   * locked until then: whoever answers in its place could say so, and nobody could take it back.
   */
  readonly ownMs: number;
  /** Only counts what is due. */
  readonly isDryRun: boolean;
};

export type ExtendDeps = { readonly repository: ReaderRepository; readonly emit: Emit };

export type ExtendedLocks = {
  /** Due, and locked anew unless it was refused or a dry run. */
  readonly due: number;
  readonly untilMs: number;
  /** When the first of all of them can be deleted; undefined where there are none. */
  readonly soonestMs: number | undefined;
  readonly refused: readonly LockProblem[];
  /** Names under which something was stored again: the first version is the one that is locked. */
  readonly replaced: readonly string[];
};

export type LockProblem = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
};

/** @throws store-denied where the versions cannot be listed */
export async function extendLocks(
  { days, ownMs, isDryRun }: ExtendRequest,
  { repository, emit }: ExtendDeps,
  signal: AbortSignal,
): Promise<ExtendedLocks> {
  const { store } = repository;
  const { retentions } = store;
  const nowMs = Math.min(await store.dateMs(signal), ownMs + DAY_MS);
  const untilMs = nowMs + days * DAY_MS;
  if (!retentions) return { due: 0, untilMs, soonestMs: undefined, refused: [], replaced: [] };
  emit({ type: 'stage', stage: 'lock', detail: store.location });
  const asked = await unlessRefused(() => keptVersions(repository, retentions, emit, signal));
  if (asked instanceof FerryError) {
    const { code, message } = asked;
    const refused = [{ object: store.location, code, message }];
    return { due: 0, untilMs, soonestMs: undefined, refused, replaced: [] };
  }
  const versions = asked;
  const known = rememberedLocks(repository, versions);
  const dueBeforeMs = nowMs + days * DAY_MS * DUE_PART;
  const refused: LockProblem[] = [];
  let due = 0;
  await inLanes(versions, REQUESTS_AT_ONCE, signal, async (one) => {
    if ((known.get(one.name) ?? 0) >= dueBeforeMs) return;
    const refusal = await unlessRefused(async () => {
      const found = await retentions.find(one, signal);
      known.set(one.name, found?.untilMs ?? 0);
      if (found && found.untilMs >= dueBeforeMs) return;
      due += 1;
      if (isDryRun) return;
      await retentions.set(one, { mode: found?.mode ?? 'GOVERNANCE', untilMs }, signal);
      known.set(one.name, untilMs);
    });
    if (!refusal) return;
    refused.push({ object: one.name, code: refusal.code, message: refusal.message });
  });
  rememberLocks(repository, known);
  const replaced = versions.filter(({ replacements }) => replacements > 0).map(({ name }) => name);
  let soonestMs: number | undefined;
  for (const untilMs of known.values()) soonestMs = Math.min(untilMs, soonestMs ?? untilMs);
  return { due, untilMs, soonestMs, refused, replaced };
}

/** Somebody without the right to it has pruned all the same, and hears what is left to do. */
async function unlessRefused<T>(ask: () => Promise<T>): Promise<T | FerryError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof FerryError && REFUSALS.has(error.code)) return error;
    throw error;
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['store-denied', 'store-refused']);

/**
 * Of everything that snapshots need, even where somebody has hidden it since, and of what opens and explains the rest,
 * unless it was taken away: a key that was removed shall not be kept for longer by this.
 */
async function keptVersions(
  repository: ReaderRepository,
  retentions: Retentions,
  emit: Emit,
  signal: AbortSignal,
): Promise<StoredVersion[]> {
  const all: StoredVersion[] = [];
  for await (const one of retentions.firstVersions(signal)) all.push(one);
  const sizes = new Map(all.map(({ name, size }) => [name, size]));
  const view = { sizes, announced: new Set<string>() };
  const { used, snapshots } = await readUsedObjects(repository, view, emit, signal);
  const kept = new Set([...used, ...snapshots.map(({ name }) => name)]);
  const opens = ({ name, isHidden }: StoredVersion): boolean =>
    !isHidden && (name === HEADER_NAME || OPENING_FOLDERS.has(name.slice(0, name.indexOf('/'))));
  return all.filter((one) => kept.has(one.name) || opens(one));
}

const OPENING_FOLDERS: ReadonlySet<string> = new Set([
  'keys',
  'writers',
  'revocations',
  'forgets',
  'repacks',
  'indexes',
]);

const locksSchema = z.record(z.string(), z.number());

/** Until when each is locked, as this machine knows it: asking for every object every week would be dear. */
function rememberedLocks(
  { cache, identity }: ReaderRepository,
  versions: readonly StoredVersion[],
): Map<string, number> {
  const bytes = cache.object(rowOf(identity));
  if (!bytes) return new Map();
  try {
    const known = locksSchema.parse(JSON.parse(fromUtf8(bytes)));
    return new Map(versions.map(({ name }) => [name, known[name] ?? 0] as const));
  } catch {
    // A damaged row of the cache: everything is asked for again.
    return new Map();
  }
}

function rememberLocks(
  { cache, identity }: ReaderRepository,
  known: ReadonlyMap<string, number>,
): void {
  cache.setObject(rowOf(identity), utf8(JSON.stringify(Object.fromEntries(known))));
  cache.flush();
}

const rowOf = (identity: ReaderRepository['identity']): string =>
  `locks under ${toHex(identity.root.publicKey)}`;
