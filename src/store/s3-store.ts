import { FerryError, systemCode, throwIfAborted } from '../base/errors.ts';
import { assertName, assertPrefix, isObjectName } from './names.ts';
import { oldVersions } from './old-versions.ts';
import type {
  ByteRange,
  GetAnswer,
  ListedObject,
  ObjectStore,
  PutAnswer,
  PutOptions,
} from './object-store.ts';
import {
  dateHeaderMs,
  openS3Door,
  request,
  sendWithClock,
  type S3ClientOptions,
  type S3Door,
} from './s3-client.ts';
import { isAbsent, isTaken, isUnclear, s3Error, statusOf } from './s3-errors.ts';
import { presign } from './s3-presign.ts';
import { retentionsOf } from './retentions.ts';
import { isSpoilt, openObject, readInto, readWhole } from './s3-read.ts';
import { uploadObject, type UploadChecksum, type UploadSettings } from './s3-upload.ts';
import { DELETED_AT_ONCE_MAX, deleteKeys } from './s3-delete-many.ts';
import { compareStored } from './same-content.ts';

/** How far a server keeps create-only, as its probe found: in every race, except in a race, not at all. */
export type CreateOnlySupport = 'atomic' | 'racy' | 'none';

export type S3StoreOptions = S3ClientOptions & {
  readonly uploadChecksum?: UploadChecksum;
  readonly createOnly?: CreateOnlySupport;
  /** Bodies up to this size go as one PUT. */
  readonly partBytes?: number;
  readonly partsInFlightMax?: number;
};

/**
 * Twice a pack and more: one request per pack, whose checksum covers it whole and whose create-only is one
 * decision of the server's.
 */
const PART_BYTES = 64 * 1024 * 1024;
const PARTS_IN_FLIGHT_MAX = 2;

/** A bucket, or a prefix of one, on any server that speaks S3. */
export async function openS3Store(options: S3StoreOptions): Promise<ObjectStore> {
  return s3StoreOn(await openS3Door(options), options);
}

/** The store that asks through a door which its caller has opened, and also uses for more. */
export function s3StoreOn(door: S3Door, options: S3StoreOptions): ObjectStore {
  const { bucket, prefix } = options;
  return s3Store({
    door,
    bucket,
    head: prefix === '' ? '' : `${prefix}/`,
    createOnly: options.createOnly ?? 'atomic',
    deletesMany: true,
    settings: {
      bucket,
      checksum: options.uploadChecksum ?? 'crc32',
      partBytes: options.partBytes ?? PART_BYTES,
      partsInFlightMax: options.partsInFlightMax ?? PARTS_IN_FLIGHT_MAX,
      signsBodies: false,
    },
  });
}

type Bucket = {
  readonly door: S3Door;
  readonly bucket: string;
  /** The repository's prefix with its slash, or ''. */
  readonly head: string;
  /** As a probe found it, or a first refusal of what nobody has probed. */
  createOnly: CreateOnlySupport;
  /** Until it was refused once. */
  deletesMany: boolean;
  readonly settings: UploadSettings;
};

function s3Store(at: Bucket): ObjectStore {
  const { door, bucket } = at;
  const where = (name: string): { bucket: string; key: string; name: string } => {
    assertName(name);
    return { bucket, key: at.head + name, name };
  };
  const store: ObjectStore = {
    location: door.location,
    put: async (name, body, options, signal) => {
      const { key } = where(name);
      throwIfAborted(signal);
      return put(at, store, { name, key, body, options }, signal);
    },
    get: async (name, range, signal) => {
      const answer = await get(door, where(name), range, signal);
      // What changed on the way comes otherwise when it is asked for again.
      return answer?.isSpoilt === true ? get(door, where(name), range, signal) : answer;
    },
    getInto: async (name, range, into, signal) => {
      const object = await openObject(door, where(name), range, signal, into);
      if (object === undefined) return undefined;
      return { length: await readInto(door, name, object, into, signal), dateMs: object.dateMs };
    },
    stat: async (name, signal) => stat(door, where(name), signal),
    list: (prefix, signal) => list(at, prefix, signal),
    delete: async (name, signal) => {
      const { key } = where(name);
      const command = new door.sdk.DeleteObjectCommand({ Bucket: bucket, Key: key });
      await request(door, `delete ${name}`, signal, async () => {
        try {
          await door.client.send(command, { abortSignal: signal });
        } catch (error) {
          if (!isAbsent(error)) throw error;
        }
      });
    },
    deleteMany: (names, signal) => deleteMany(at, names, signal),
    dateMs: (signal) => serverDateMs(at, signal),
    counts: () => ({ ...door.counts }),
    presign: (wishes) => presign(at, wishes),
    oldVersions: (signal) => oldVersions(door, bucket, at.head, signal),
    retentions: retentionsOf(door, bucket, at.head),
    close: async () => {
      door.direct.close();
      door.client.destroy();
    },
  };
  return store;
}

async function get(
  door: S3Door,
  where: { readonly bucket: string; readonly key: string; readonly name: string },
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<GetAnswer | undefined> {
  const object = await openObject(door, where, range, signal);
  if (object === undefined) return undefined;
  const bytes = await readWhole(door, where.name, object, signal);
  return { bytes, dateMs: object.dateMs, ...(isSpoilt(object, bytes) && { isSpoilt: true }) };
}

/** A server that does not do it is not asked again. */
async function deleteMany(
  at: Bucket,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  for (const name of names) assertName(name);
  const gone = new Set<string>();
  for (let from = 0; from < names.length && at.deletesMany; from += DELETED_AT_ONCE_MAX) {
    const some = names.slice(from, from + DELETED_AT_ONCE_MAX);
    const keys = await deleteKeys(
      at.door,
      at.bucket,
      some.map((name) => at.head + name),
      signal,
    );
    if (keys) for (const name of some) if (keys.has(at.head + name)) gone.add(name);
    at.deletesMany = keys !== undefined;
  }
  return gone;
}

type Put = {
  readonly name: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly options: PutOptions;
};

async function put(
  at: Bucket,
  store: ObjectStore,
  what: Put,
  signal: AbortSignal,
): Promise<PutAnswer> {
  const { name, key, options } = what;
  const createOnly = options.createOnly === true;
  const isFresh = options.isFresh === true && at.createOnly !== 'none';
  if (createOnly && at.createOnly === 'none') {
    const there = await store.stat(name, signal);
    if (there) return { outcome: 'exists', dateMs: there.dateMs };
  }
  const body = Buffer.from(what.body.buffer, what.body.byteOffset, what.body.length);
  const upload = {
    key,
    body,
    createOnly: (createOnly && at.createOnly !== 'none') || isFresh,
    crc32: options.crc32,
  };
  try {
    const dateMs = await uploadObject(at.door, at.settings, upload, signal);
    return { outcome: 'stored', dateMs };
  } catch (error) {
    if (createOnly && isTaken(error)) return { outcome: 'exists', dateMs: errorDateMs(error) };
    // An earlier try of ours, whose answer was lost: nobody else knows the name.
    if (isFresh && isTaken(error)) return { outcome: 'stored', dateMs: errorDateMs(error) };
    if (upload.createOnly && statusOf(error) === 501) {
      // init, join and mirror write to places that nobody has probed, or not from here.
      at.createOnly = 'none';
      return put(at, store, what, signal);
    }
    const failure = s3Error(error, { action: `put ${name}`, location: at.door.location, signal });
    const inParts = body.length > at.settings.partBytes;
    if (!isUnclear(error) || neverSent(error) || signal.aborted) throw failure;
    if (createOnly || isFresh || inParts) return settle(at, store, { ...what, failure }, signal);
    throw statusOf(error) === undefined
      ? await clearerReason(at, { ...what, failure }, signal)
      : failure;
  }
}

/**
 * A create-only put or the completion of an upload in parts whose answer is unclear: some servers refuse
 * create-only by closing the connection, and a lost answer may have been a yes. What lies there now decides.
 */
async function settle(
  at: Bucket,
  store: ObjectStore,
  what: Put & { readonly failure: FerryError },
  signal: AbortSignal,
): Promise<PutAnswer> {
  let found: Awaited<ReturnType<typeof compareStored>>;
  try {
    found = await compareStored(store, what.name, what.body, signal);
  } catch {
    throw await clearerReason(at, what, signal);
  }
  const { dateMs } = found;
  if (found.what === 'same') return { outcome: 'stored', dateMs };
  if (found.what === 'other' && what.options.createOnly === true)
    return { outcome: 'exists', dateMs };
  throw what.failure;
}

/**
 * A server that refuses a large body closes the connection, often before its reason can be read. A small question
 * gets the same refusal whole. "May not read" is no reason for a put to have failed, so that answer does not count.
 */
async function clearerReason(
  { door, bucket }: Bucket,
  { key, name, failure }: Put & { readonly failure: FerryError },
  signal: AbortSignal,
): Promise<FerryError> {
  try {
    const object = await openObject(door, { bucket, key, name }, { offset: 0, length: 1 }, signal);
    object?.body.destroy();
  } catch (error) {
    if (!(error instanceof FerryError)) throw error;
    const mayNotRead =
      error.code === 'store-denied' && error.details['answer'] === '403 AccessDenied';
    if (!error.retryable && error.code !== 'object-damaged' && !mayNotRead) return error;
  }
  return failure;
}

async function stat(
  door: S3Door,
  where: { bucket: string; key: string; name: string },
  signal: AbortSignal,
): Promise<{ size: number; dateMs: number | undefined } | undefined> {
  throwIfAborted(signal);
  const context = { action: `stat ${where.name}`, location: door.location, signal };
  const command = new door.sdk.HeadObjectCommand({ Bucket: where.bucket, Key: where.key });
  try {
    const output = await sendWithClock(signal, () =>
      door.client.send(command, { abortSignal: signal }),
    );
    const size = output.ContentLength;
    if (size === undefined)
      throw new FerryError('store-refused', `no size in the answer for ${where.name}`);
    return { size, dateMs: door.dateOf(output) };
  } catch (error) {
    const status = statusOf(error) ?? 0;
    if (status < 400 || status >= 500) throw s3Error(error, context);
  }
  // A refused HEAD has no body, so its 404 may mean the bucket or the access key, its 403 the clock: only GET tells.
  const object = await openObject(door, where, undefined, signal);
  object?.body.destroy();
  return object && { size: object.length, dateMs: object.dateMs };
}

async function* list(
  at: Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  assertPrefix(prefix);
  const { door, head } = at;
  let token: string | undefined;
  do {
    const page = await request(door, `list ${prefix}`, signal, () =>
      door.client.send(
        new door.sdk.ListObjectsV2Command({
          Bucket: at.bucket,
          Prefix: head + prefix,
          ...(token !== undefined && { ContinuationToken: token }),
        }),
        { abortSignal: signal },
      ),
    );
    const dateMs = door.dateOf(page);
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      const name = Key?.startsWith(head + prefix) === true ? Key.slice(head.length) : '';
      if (!isObjectName(name)) continue; // something else that lies in the bucket
      // Without a time it counts as new: what is old may be deleted.
      const modifiedMs = LastModified?.getTime() ?? dateMs;
      if (modifiedMs === undefined) throw noTimes(door.location);
      yield { name, size: Size ?? 0, modifiedMs, dateMs };
    }
    if (page.IsTruncated !== true) return;
    const next = page.NextContinuationToken;
    if (next === undefined || next === token) {
      throw new FerryError('store-refused', `the listing of ${door.location} does not go on`);
    }
    token = next;
  } while (token !== undefined);
}

const noTimes = (location: string): FerryError =>
  new FerryError('store-refused', `the listing of ${location} has no times and no Date`);

/** Any answer has a Date, a refusal too, so this works for credentials that may only write. */
async function serverDateMs(at: Bucket, signal: AbortSignal): Promise<number> {
  const { door } = at;
  throwIfAborted(signal);
  const command = new door.sdk.HeadObjectCommand({
    Bucket: at.bucket,
    Key: `${at.head}stateferry.json`,
  });
  let dateMs: number | undefined;
  try {
    const output = await door.client.send(command, { abortSignal: signal });
    dateMs = door.dateOf(output);
  } catch (error) {
    dateMs = errorDateMs(error);
    if (dateMs === undefined) {
      throw s3Error(error, { action: 'read the clock', location: door.location, signal });
    }
  }
  if (dateMs === undefined) throw new FerryError('store-refused', `${door.location} sends no Date`);
  return dateMs;
}

function errorDateMs(error: unknown): number | undefined {
  const response: unknown = error instanceof Error ? Reflect.get(error, '$response') : undefined;
  return dateHeaderMs(response);
}

/** The connection never came about, so there is nothing to ask after. */
function neverSent(error: unknown): boolean {
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(systemCode(error) ?? '');
}
