/** What whoever deletes sees of a store first, in the order that its rules rest on. */
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { publicHalves } from '../../crypto/identity.ts';
import { parseWriterObjectName, type WriterFolder } from '../../format/names.ts';
import { findHoles, findRollbacks, type History } from '../../repository/history.ts';
import type { MachineState } from '../../repository/machine.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { readTombstones, type Tombstone } from '../../repository/tombstones.ts';
import {
  readUsedObjects,
  type StoreView,
  type UsedObjects,
} from '../../repository/used-objects.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { StoredObject } from './prune-plan.ts';

export type LookDeps = { readonly repository: ReaderRepository; readonly emit: Emit };

/** Nothing is stored or deleted. */
export type DryRun = {
  /** Digests of snapshots that are taken for forgotten: what is planned is what would come after that. */
  readonly forgotten?: ReadonlySet<string>;
};

export type StoreLook = {
  /** The store's, before anything else was asked. */
  readonly nowMs: number;
  readonly tombstones: readonly Tombstone[];
  readonly packs: ReadonlyMap<string, StoredObject>;
  /** Packs and pack lists. */
  readonly stored: ReadonlyMap<string, StoredObject>;
  readonly view: StoreView;
};

/** Tombstones first: what is announced after they were read is for the next run. */
export async function lookAtStore(
  { repository, emit }: LookDeps,
  signal: AbortSignal,
): Promise<StoreLook> {
  const { store, id, identity } = repository;
  emit({ type: 'stage', stage: 'look', detail: store.location });
  const nowMs = await store.dateMs(signal);
  const { root } = publicHalves(identity);
  const tombstones = await readTombstones({ store, id, root }, emit, signal);
  const packs = await listed(store, 'packs', signal);
  const lists = await listed(store, 'lists', signal);
  const stored = new Map([...packs, ...lists]);
  const view = {
    sizes: new Map([...stored].map(([name, { size }]) => [name, size])),
    announced: new Set(tombstones.flatMap(({ condemned }) => condemned)),
  };
  return { nowMs, tombstones, packs, stored, view };
}

export async function listed(
  store: ObjectStore,
  folder: WriterFolder,
  signal: AbortSignal,
): Promise<Map<string, StoredObject>> {
  const objects = new Map<string, StoredObject>();
  for await (const { name, size, modifiedMs } of store.list(`${folder}/`, signal)) {
    if (parseWriterObjectName(name)) objects.set(name, { name, size, modifiedMs });
  }
  return objects;
}

/** @throws object-damaged, object-missing, format-too-new unless every snapshot tells what it needs */
export async function readUsed(
  { repository, emit }: LookDeps,
  view: StoreView,
  signal: AbortSignal,
  { forgotten }: DryRun = {},
): Promise<UsedObjects> {
  const found = await readUsedObjects(repository, view, emit, signal, forgotten);
  const [first] = found.unreadable;
  if (!first) return found;
  for (const { object, code, message } of found.unreadable) {
    emit({ type: 'problem', path: object, code, message });
  }
  const count = found.unreadable.length;
  const what = count === 1 ? 'one snapshot does' : `${count} snapshots do`;
  const message = `${what} not tell which packs it needs, so nothing is deleted`;
  const details = { object: first.object };
  // A newer version reads it: nothing is to be given up.
  const codes = new Set(found.unreadable.map(({ code }) => code));
  if (codes.has('format-too-new')) throw new FerryError('format-too-new', message, { details });
  const isMissing = codes.size === 1 && codes.has('object-missing');
  throw new FerryError(isMissing ? 'object-missing' : 'object-damaged', message, {
    hint: 'See what it is: stateferry check. One that cannot be saved can be given up: stateferry forget ID',
    details,
  });
}

/** @throws history-rolled-back when snapshots are missing that no forget record explains */
export function refuseLacking(history: History, seen: MachineState['highWater']): void {
  const [rollback] = findRollbacks(history, seen);
  const [hole] = findHoles(history);
  if (!rollback && !hole) return;
  const what = hole
    ? `number ${hole.first} of the snapshots of ${hole.machine} is not there, and no forget record says why`
    : 'the repository shows less than this machine has seen, and no forget record says why';
  throw new FerryError('history-rolled-back', `${what}: nothing is deleted`, {
    hint:
      'If somebody hides it, its packs must stay: stateferry check names all. ' +
      'If it is gone for good, say so once: stateferry forget --missing. For this run only: --accept-missing',
  });
}
