/**
 * The contract of every store, in words. One suite (test/contract) holds every implementation to it.
 *
 * - Names are `/`-separated segments of `[A-Za-z0-9._-]`, each 1–200 bytes and never with a leading dot; at most 900
 *   bytes in all (names.ts). A name that is none is a bug.
 * - `put` is all or nothing: a reader sees the whole object or none. A put over an existing name replaces it.
 * - `put` with `createOnly` answers `exists` when the name is taken and changes nothing. Whether that is atomic
 *   between racing writers depends on the server: the probe (probe.ts) finds out, the settings remember. An unclear
 *   answer is settled by comparing what lies there; content equal to ours counts as stored.
 * - `put` with `isFresh` is a plain put of a random name that nobody else can know. Where the server keeps create-only
 *   it is asked not to replace, so that a bucket's policy may insist on it; what lies there is ours then.
 * - `get` and `stat` of an absent name answer `undefined`. Anything else that is no success throws: a refusal is
 *   never "absent", and neither is a missing bucket.
 * - `get` reads at most 64 MiB (ranges.ts); whatever is longer than that, or than the buffer of `getInto`, is
 *   `object-damaged` before anything is allocated.
 * - `list` yields every name under a prefix once, in no particular order, following pages to the end. The prefix is a
 *   name prefix that ends in `/`, or ''. What is no name of ours is left out.
 * - `delete` of an absent name succeeds.
 * - Every answer that carries the server's time reports it as `dateMs`; undefined where the server sent none.
 * - Every wait ends when the signal is aborted, with `interrupted`.
 * - Failures are FerryErrors: store-denied, store-clock, store-unreachable, store-busy, store-refused, no-space,
 *   repository-missing (the bucket or folder itself is not there), object-damaged (a checksum mismatch on the way).
 */
export type ObjectStore = {
  /** Where this is, as a person may type it again: a bucket with its endpoint, or a folder. Never a credential. */
  readonly location: string;
  put(name: string, body: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<PutAnswer>;
  /** The whole object or a byte range, cut at the end. A range that starts at or beyond the end is `object-damaged`. */
  get(
    name: string,
    range: ByteRange | undefined,
    signal: AbortSignal,
  ): Promise<GetAnswer | undefined>;
  /** Like get, but into a given buffer (shared memory allowed); longer objects are `object-damaged`. */
  getInto(
    name: string,
    range: ByteRange | undefined,
    into: Uint8Array,
    signal: AbortSignal,
  ): Promise<GetIntoAnswer | undefined>;
  stat(name: string, signal: AbortSignal): Promise<StatAnswer | undefined>;
  list(prefix: string, signal: AbortSignal): AsyncIterable<ListedObject>;
  delete(name: string, signal: AbortSignal): Promise<void>;
  /**
   * Many in one request, where the store has that. Answers those that it says are gone; any other may be there, and
   * `delete` tells why.
   */
  deleteMany?(names: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** The store's own time, in milliseconds: the Date header of a cheap answer, or the mtime of a file just written. */
  dateMs(signal: AbortSignal): Promise<number>;
  /** Requests that left this process so far, by kind. */
  counts(): RequestCounts;
  /** Addresses by which somebody without credentials may do exactly what they say; only a bucket has them. */
  presign?(wishes: PresignWishes): Promise<Presigned>;
  /** What becomes of what is deleted; only a bucket may keep it. */
  oldVersions?(signal: AbortSignal): Promise<OldVersions>;
  /** Object Lock of what is stored; only a bucket may have it. */
  readonly retentions?: Retentions;
  close(): Promise<void>;
};

export type StoredVersion = {
  readonly name: string;
  readonly version: string;
  readonly size: number;
  /** How many versions came after it under the same name. */
  readonly replacements: number;
  /** The name was deleted: nothing but its versions is left. */
  readonly isHidden: boolean;
};

export type Retention = { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly untilMs: number };

export type Retentions = {
  /**
   * What was stored first under each name that has a version, whatever lies over it now: names are never used twice,
   * so everything later is somebody's replacement.
   */
  firstVersions(signal: AbortSignal): AsyncIterable<StoredVersion>;
  find(of: StoredVersion, signal: AbortSignal): Promise<Retention | undefined>;
  /** @throws store-denied, store-refused: also where the server keeps it for longer already */
  set(of: StoredVersion, retention: Retention, signal: AbortSignal): Promise<void>;
};

export type OldVersions = {
  /** Whether an object that is deleted stays as an old version. */
  readonly kept: 'on' | 'suspended' | 'off' | 'unknown';
  /** New objects cannot be deleted for good for so long; null: they can. */
  readonly lockDays: number | 'unknown' | null;
  /** When the bucket itself removes what became an old version; null: never. */
  readonly goneAfterDays: number | 'unknown' | null;
};

export type PresignWishes = {
  readonly gets: readonly string[];
  /** Create-only where the store keeps that, and of exactly this size. */
  readonly puts: readonly { readonly name: string; readonly bytes: number }[];
  /** By the store's clock. */
  readonly signedAtMs: number;
  readonly lifeMs: number;
};

/** All addresses have a template in common and differ by name and signature (32 bytes). */
export type Presigned = {
  readonly template: SignedTemplate;
  readonly gets: ReadonlyMap<string, Uint8Array>;
  readonly puts: ReadonlyMap<string, Uint8Array>;
};

export type SignedTemplate = {
  /** Everything before the name, with its last slash. */
  readonly base: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly signedAtSeconds: number;
  readonly lifeSeconds: number;
  readonly token: string | undefined;
};

export type ByteRange = { readonly offset: number; readonly length: number };

export type PutOptions = {
  readonly createOnly?: boolean;
  readonly isFresh?: boolean;
  /** CRC-32 of the body where the caller has it already, so that nobody computes it twice. */
  readonly crc32?: number;
};

export type PutAnswer = {
  readonly outcome: 'stored' | 'exists';
  readonly dateMs: number | undefined;
};
export type GetAnswer = {
  readonly bytes: Uint8Array;
  readonly dateMs: number | undefined;
  /** A whole object that came twice as something else than what the store's own checksum says it was. */
  readonly isSpoilt?: boolean;
};
export type GetIntoAnswer = { readonly length: number; readonly dateMs: number | undefined };
export type StatAnswer = { readonly size: number; readonly dateMs: number | undefined };
/** `modifiedMs` is the store's own last-modified time of the object; `dateMs` the Date of the listing's answer. */
export type ListedObject = {
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly dateMs: number | undefined;
};
export type RequestCounts = {
  put: number;
  get: number;
  head: number;
  list: number;
  delete: number;
};
