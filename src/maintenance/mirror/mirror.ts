/**
 * mirror: the same repository in a second place, object for object, without any secret. Objects go in the order in
 * which a push stores them, snapshots last, so that a mirror that was interrupted is an older copy of the repository
 * and never a broken one. Every object is read back. Nothing in the target is overwritten, and nothing is deleted but
 * snapshots that the owner has forgotten.
 */
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { HEADER_NAME } from '../../format/names.ts';
import { Authenticity } from '../../repository/authenticity.ts';
import type { MachineState } from '../../repository/machine.ts';
import { readRepositoryId } from '../../repository/open.ts';
import type { ListedObject, ObjectStore } from '../../store/object-store.ts';
import { sweep, type RefusedDelete } from '../prune/sweep.ts';
import { MirrorCopy, type CopyRequest, type Listing, type MirrorProblem } from './mirror-copy.ts';
import { findForgotten, type MirroredPlace } from './mirror-forgotten.ts';

export type MirrorRequest = CopyRequest & {
  /** Pinned by this machine when it joined; undefined: nobody can say whose signatures these are. */
  readonly root: Uint8Array | undefined;
  /** What this machine has seen in the source. */
  readonly marks: MachineState['highWater'];
  /** What was forgotten stays in the target. */
  readonly keepForgotten: boolean;
};

export type Mirrored = {
  readonly repository: string;
  readonly objects: { readonly copied: number; readonly present: number };
  readonly bytesCopied: number;
  /** In the target before and after; those of the source that could be copied. */
  readonly snapshots: { readonly before: number; readonly after: number };
  /** Snapshots of the target that were forgotten: deleted, refused, or held since no newer one is sure to be there. */
  readonly forgotten: {
    readonly deleted: number;
    readonly refused: readonly RefusedDelete[];
    readonly held: number;
  };
  /** Objects of the target that the source does not have (any more), and that stay. */
  readonly onlyThere: number;
  /** Snapshots of the source that revoked machines made afterwards: not copied. */
  readonly leftAside: number;
  /** Signatures held against the root key that this machine pinned; 0 without one. */
  readonly signaturesChecked: number;
  readonly problems: readonly MirrorProblem[];
};

/**
 * What needs what: everything to the left of an object is there before it. What speaks of the newest comes shortly
 * before the snapshots: a mirror that was interrupted while packs were copied is older, and does not look rolled back.
 */
const ORDER = [
  'keys',
  'writers',
  'revocations',
  'packs',
  'indexes',
  'lists',
  'repacks',
  'tombstones',
  'forgets',
  'drills',
  'snapshots',
] as const;

/** @throws repository-missing, object-foreign (the target holds another repository), and what a store throws */
export async function mirror(
  request: MirrorRequest,
  { emit }: { readonly emit: Emit },
  signal: AbortSignal,
): Promise<Mirrored> {
  const { from, to } = request;
  const repository = await readRepositoryId(from, signal);
  const authenticity = request.root && new Authenticity(repository, request.root);
  const copy = new MirrorCopy(request, authenticity, emit);
  await refuseOther(to, repository, signal);
  // Snapshots are listed before packs: whatever these snapshots need is then in the listing of the packs.
  const snapshots = await listed(from, 'snapshots/', signal);
  await copy.header(signal);
  const before = await listed(to, 'snapshots/', signal);
  for (const folder of ORDER) {
    const source = folder === 'snapshots' ? snapshots : await listed(from, `${folder}/`, signal);
    const target = folder === 'snapshots' ? before : await listed(to, `${folder}/`, signal);
    // A snapshot whose packs did not all arrive would be a broken one.
    if (folder === 'snapshots' && copy.isIncomplete) break;
    await copy.copyAll(folder, source, target, signal);
  }
  const there = await listed(to, 'snapshots/', signal);
  const mayForget = copy.problems.length === 0 && !request.keepForgotten;
  const seen = { repository, source: snapshots, there };
  const forgotten = mayForget ? await forget(request, authenticity, seen, signal) : NOTHING;
  const { copied, present, bytesCopied, onlyThere, leftAside, problems } = copy;
  return {
    repository,
    objects: { copied, present },
    bytesCopied,
    snapshots: { before: before.size, after: there.size - forgotten.deleted },
    forgotten,
    onlyThere: onlyThere - forgotten.deleted,
    leftAside,
    signaturesChecked: authenticity?.checked ?? 0,
    problems,
  };
}

const NOTHING: Mirrored['forgotten'] = { deleted: 0, refused: [], held: 0 };

/** Only by records under a root key that is pinned here, and only once everything newer has arrived. */
async function forget(
  { to, root, marks }: MirrorRequest,
  authenticity: Authenticity | undefined,
  seen: Pick<MirroredPlace, 'repository' | 'source' | 'there'>,
  signal: AbortSignal,
): Promise<Mirrored['forgotten']> {
  if (!root || !authenticity) return NOTHING;
  const nowMs = await to.dateMs(signal);
  const { doomed, held } = await findForgotten({ ...seen, to, root, marks, authenticity }, signal);
  const { deleted, refused } = await sweep(to, doomed, nowMs, signal);
  return { deleted: deleted.length, refused, held: held.length };
}

async function listed(store: ObjectStore, prefix: string, signal: AbortSignal): Promise<Listing> {
  const objects = new Map<string, ListedObject>();
  for await (const object of store.list(prefix, signal)) objects.set(object.name, object);
  return objects;
}

/** A place with anything of ours in it but no header is no place for a mirror either: nobody can say whose it is. */
async function refuseOther(
  to: ObjectStore,
  repository: string,
  signal: AbortSignal,
): Promise<void> {
  if (await to.stat(HEADER_NAME, signal)) {
    if ((await readRepositoryId(to, signal)) === repository) return;
    throw new FerryError('object-foreign', `${to.location} holds another repository`, {
      hint: 'A mirror needs a place of its own: name an empty folder or prefix.',
    });
  }
  for (const folder of ORDER) {
    for await (const _ of to.list(`${folder}/`, signal)) {
      throw new FerryError(
        'repository-damaged',
        `${to.location} holds objects of a repository without its ${HEADER_NAME}`,
        {
          hint: `Put ${HEADER_NAME} back if it is this repository's mirror, or name an empty place.`,
        },
      );
    }
  }
}
