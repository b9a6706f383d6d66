/**
 * The copying of a mirror: object by object, each read back; what is there already is left as it is, and what cannot
 * be copied is named. Counts what it did.
 */
import { FerryError, isObjectFault } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { inLanes } from '../../base/lanes.ts';
import { HEADER_NAME } from '../../format/names.ts';
import type { Authenticity } from '../../repository/authenticity.ts';
import { damaged, readAnswer, readObject } from '../../repository/objects.ts';
import type { ListedObject, ObjectStore } from '../../store/object-store.ts';
import { OBJECT_BYTES_MAX } from '../../store/ranges.ts';

export type CopyRequest = {
  readonly from: ObjectStore;
  readonly to: ObjectStore;
  /** Objects that are there already are compared by content too, not by size alone. */
  readonly compareAll: boolean;
};

export type MirrorProblem = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
};

export type Listing = ReadonlyMap<string, ListedObject>;

/** What says whose signatures count. */
const SAYS_WHO: readonly string[] = ['writers', 'revocations'];
/** Each holds one object twice, as it was read and as it reads back: a pack has 16 MiB as a rule. */
const LANES = 3;

export class MirrorCopy {
  readonly #request: CopyRequest;
  readonly #authenticity: Authenticity | undefined;
  readonly #emit: Emit;
  readonly problems: MirrorProblem[] = [];
  readonly #done = { objects: 0, bytes: 0 };
  readonly #total = { objects: 0, bytes: 0 };
  copied = 0;
  present = 0;
  bytesCopied = 0;
  onlyThere = 0;
  leftAside = 0;
  /** The target lacks something that the source has. */
  isIncomplete = false;

  constructor(request: CopyRequest, authenticity: Authenticity | undefined, emit: Emit) {
    this.#request = request;
    this.#authenticity = authenticity;
    this.#emit = emit;
  }

  async header(signal: AbortSignal): Promise<void> {
    const { from, to } = this.#request;
    if (await to.stat(HEADER_NAME, signal)) {
      this.present += 1;
      return;
    }
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
    this.onlyThere += [...target.keys()].filter((name) => !source.has(name)).length;
    // Those that are there already are read too.
    const saysWho = this.#authenticity !== undefined && SAYS_WHO.includes(folder);
    if (saysWho) await this.#learnTakenBack(folder, source, target, signal);
    const isRead = this.#request.compareAll || saysWho;
    const wanted = [...source.values()]
      .filter(({ name }) => isRead || !target.has(name))
      .toSorted((a, b) => a.modifiedMs - b.modifiedMs);
    for (const { name, size } of source.values()) {
      const there = target.get(name);
      if (!there) continue;
      this.present += 1;
      if (there.size !== size) this.#report(name, this.#differs(name));
    }
    this.#total.objects += wanted.length;
    this.#total.bytes += wanted.reduce((sum, { size }) => sum + size, 0);
    await inLanes(wanted, LANES, signal, async (one) => {
      await this.#guard(one.name, () => this.#copyOne(one, target.get(one.name), signal));
      this.#progress(one.size);
    });
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
    const { from } = this.#request;
    const { bytes, isSpoilt } = await readAnswer(from, name, OBJECT_BYTES_MAX, signal);
    if (this.#authenticity?.check(name, bytes) === false) {
      this.leftAside += 1;
      return;
    }
    // One bad byte in a pack leaves the rest of it good: copied all the same.
    if (isSpoilt === true) {
      const message = `it is not what its checksum in ${from.location} says, and was copied as it is`;
      this.#report(name, damaged(name, message));
    }
    if (!there) return this.#store(name, bytes, signal);
    if (there.size === bytes.length) await this.#compare(name, bytes, signal);
  }

  /** Reads it back: an answer of 200 is not yet an object. */
  async #store(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#request.to.put(name, bytes, { createOnly: true }, signal);
    await this.#compare(name, bytes, signal);
    this.copied += 1;
    this.bytesCopied += bytes.length;
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
    if (this.problems.some((one) => one.object === object)) return;
    this.problems.push({ object, code, message });
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
      bytesStored: this.bytesCopied,
      totalsKnown: false,
    });
  }
}

const HEADER_BYTES_MAX = 4096;
