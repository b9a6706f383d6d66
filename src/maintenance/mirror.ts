/**
 * mirror: the same repository in a second place, object for object, without any secret. Objects go in the order in
 * which a push stores them, snapshots last, so that a mirror that was interrupted is an older copy of the repository
 * and never a broken one. Every object is read back. Nothing in the target is overwritten, and nothing is deleted but
 * snapshots that the owner has forgotten.
 */
import { FerryError, isObjectFault, throwIfAborted } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { HEADER_NAME } from '../format/names.ts';
import { readRepositoryId } from '../repository/open.ts';
import { readObject } from '../repository/objects.ts';
import { Authenticity } from '../repository/authenticity.ts';
import type { MachineState } from '../repository/machine.ts';
import type { ListedObject, ObjectStore } from '../store/object-store.ts';
import { findForgotten } from './mirror-forgotten.ts';
import { sweep, type RefusedDelete } from './sweep.ts';

export type MirrorRequest = {
  readonly from: ObjectStore;
  readonly to: ObjectStore;
  /** Pinned by this machine when it joined; undefined: nobody can say whose signatures these are. */
  readonly root: Uint8Array | undefined;
  /** Objects that are there already are compared by content too, not by size alone. */
  readonly compareAll: boolean;
  /** What this machine has seen in the source. */
  readonly marks: MachineState['highWater'];
  /** What was forgotten stays in the target. */
  readonly keepForgotten: boolean;
};

export type MirrorProblem = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
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
/** What says whose signatures count. */
const SAYS_WHO: readonly string[] = ['writers', 'revocations'];

/** @throws repository-missing, object-foreign (the target holds another repository), and what a store throws */
export async function mirror(
  request: MirrorRequest,
  { emit }: { readonly emit: Emit },
  signal: AbortSignal,
): Promise<Mirrored> {
  const { from, to } = request;
  const repository = await readRepositoryId(from, signal);
  const authenticity = request.root && new Authenticity(repository, request.root);
  const run = new MirrorRun(request, authenticity, emit);
  await refuseOther(to, repository, signal);
  // Snapshots are listed before packs: whatever these snapshots need is then in the listing of the packs.
  const snapshots = await listed(from, 'snapshots/', signal);
  await run.header(signal);
  const before = await listed(to, 'snapshots/', signal);
  for (const folder of ORDER) {
    const source = folder === 'snapshots' ? snapshots : await listed(from, `${folder}/`, signal);
    const target = folder === 'snapshots' ? before : await listed(to, `${folder}/`, signal);
    // A snapshot whose packs did not all arrive would be a broken one.
    if (folder === 'snapshots' && run.isIncomplete) break;
    await run.copyAll(folder, source, target, signal);
  }
  const there = await listed(to, 'snapshots/', signal);
  await run.forget(repository, snapshots, there, signal);
  return run.answer(repository, { before: before.size, after: there.size });
}

type Listing = ReadonlyMap<string, ListedObject>;

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

/** Each holds one object twice, as it was read and as it reads back: a pack has 16 MiB as a rule. */
const LANES = 3;

class MirrorRun {
  readonly #request: MirrorRequest;
  readonly #authenticity: Authenticity | undefined;
  readonly #emit: Emit;
  readonly #problems: MirrorProblem[] = [];
  readonly #done = { objects: 0, bytes: 0 };
  readonly #total = { objects: 0, bytes: 0 };
  #copied = 0;
  #present = 0;
  #bytesCopied = 0;
  #onlyThere = 0;
  #leftAside = 0;
  #forgotten: Mirrored['forgotten'] = { deleted: 0, refused: [], held: 0 };
  /** The target lacks something that the source has. */
  isIncomplete = false;

  constructor(request: MirrorRequest, authenticity: Authenticity | undefined, emit: Emit) {
    this.#request = request;
    this.#authenticity = authenticity;
    this.#emit = emit;
  }

  async header(signal: AbortSignal): Promise<void> {
    const { from, to } = this.#request;
    if (await to.stat(HEADER_NAME, signal)) return;
    const bytes = await readObject(from, HEADER_NAME, HEADER_BYTES_MAX, signal);
    await this.#store(HEADER_NAME, bytes, signal);
  }

  /** @param folder of ORDER */
  async copyAll(
    folder: string,
    source: Listing,
    target: Listing,
    signal: AbortSignal,
  ): Promise<void> {
    this.#onlyThere += [...target.keys()].filter((name) => !source.has(name)).length;
    // Those that are there already are read too.
    const saysWho = this.#authenticity !== undefined && SAYS_WHO.includes(folder);
    if (saysWho) await this.#learnTakenBack(folder, source, target, signal);
    const isRead = this.#request.compareAll || saysWho;
    // The oldest last, which is where a lane takes the next one from.
    const wanted = [...source.values()]
      .filter(({ name }) => isRead || !target.has(name))
      .toSorted((a, b) => b.modifiedMs - a.modifiedMs);
    for (const { name, size } of source.values()) {
      const there = target.get(name);
      if (!there) continue;
      this.#present += 1;
      if (there.size !== size) this.#report(name, this.#differs(name));
    }
    this.#total.objects += wanted.length;
    this.#total.bytes += wanted.reduce((sum, { size }) => sum + size, 0);
    const lane = async (): Promise<void> => {
      for (let one = wanted.pop(); one; one = wanted.pop()) {
        throwIfAborted(signal);
        await this.#guard(one.name, () => this.#copyOne(one, target.get(one.name), signal));
        this.#progress(one.size);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  /** Only by records under a root key that is pinned here, and only once everything newer has arrived. */
  async forget(
    repository: string,
    source: Listing,
    there: Listing,
    signal: AbortSignal,
  ): Promise<void> {
    const { to, root, marks, keepForgotten } = this.#request;
    const authenticity = this.#authenticity;
    if (!root || !authenticity || keepForgotten || this.#problems.length > 0) return;
    const nowMs = await to.dateMs(signal);
    const place = { to, there, source, repository, root, authenticity, marks };
    const { doomed, held } = await findForgotten(place, signal);
    const { deleted, refused } = await sweep(to, doomed, nowMs, signal);
    this.#forgotten = { deleted: deleted.length, refused, held: held.length };
  }

  answer(repository: string, snapshots: Mirrored['snapshots']): Mirrored {
    const { deleted } = this.#forgotten;
    return {
      repository,
      objects: { copied: this.#copied, present: this.#present },
      bytesCopied: this.#bytesCopied,
      snapshots: { ...snapshots, after: snapshots.after - deleted },
      forgotten: this.#forgotten,
      onlyThere: this.#onlyThere - deleted,
      leftAside: this.#leftAside,
      signaturesChecked: this.#authenticity?.checked ?? 0,
      problems: this.#problems,
    };
  }

  /** A revocation that the source does not show any more counts on. */
  async #learnTakenBack(
    folder: string,
    source: Listing,
    target: Listing,
    signal: AbortSignal,
  ): Promise<void> {
    if (folder !== 'revocations') return;
    for (const name of target.keys()) {
      if (source.has(name)) continue;
      const { from, to } = this.#request;
      await this.#guard(name, async () => {
        this.#authenticity?.check(name, await readObject(to, name, OBJECT_BYTES_MAX, signal));
        const message = `it is gone from ${from.location}; that machine stays revoked here`;
        this.#report(name, new FerryError('object-missing', message));
      });
    }
  }

  async #copyOne(
    { name }: ListedObject,
    there: ListedObject | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const bytes = await readObject(this.#request.from, name, OBJECT_BYTES_MAX, signal);
    if (this.#authenticity?.check(name, bytes) === false) {
      this.#leftAside += 1;
      return;
    }
    if (!there) return this.#store(name, bytes, signal);
    if (there.size === bytes.length) await this.#compare(name, bytes, signal);
  }

  /** Reads it back: an answer of 200 is not yet an object. */
  async #store(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#request.to.put(name, bytes, { createOnly: true }, signal);
    await this.#compare(name, bytes, signal);
    this.#copied += 1;
    this.#bytesCopied += bytes.length;
  }

  async #compare(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const stored = await this.#request.to.get(name, undefined, signal);
    if (!stored || Buffer.compare(stored.bytes, bytes) !== 0) throw this.#differs(name);
  }

  #differs(name: string): FerryError {
    this.isIncomplete = true;
    const { location } = this.#request.to;
    return new FerryError('object-damaged', `${name} in ${location} is not what the source has`, {
      hint: 'It was left as it is. Look which is damaged: stateferry check -r LOCATION --read-data',
      details: { object: name },
    });
  }

  async #guard(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      this.#report(name, error);
    }
  }

  #report(object: string, { code, message }: FerryError): void {
    if (this.#problems.some((one) => one.object === object)) return;
    this.#problems.push({ object, code, message });
    this.#emit({ type: 'problem', path: object, code, message });
  }

  #progress(bytes: number): void {
    this.#done.objects += 1;
    this.#done.bytes += bytes;
    this.#emit({
      type: 'progress',
      stage: 'mirror',
      bytesDone: this.#done.bytes,
      bytesTotal: this.#total.bytes,
      filesDone: this.#done.objects,
      filesTotal: this.#total.objects,
      bytesStored: this.#bytesCopied,
      totalsKnown: false,
    });
  }
}

/** As much as a store reads at once. */
const OBJECT_BYTES_MAX = 64 * 1024 * 1024;
const HEADER_BYTES_MAX = 4096;
