/** Writer records: who may write here, said by the root key. */
import { concatBytes, fromHex } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { openBody, sealBody } from '../crypto/frames.ts';
import { writerSubkeys, type Identity, type WriterSubkeys } from '../crypto/identity.ts';
import { openHeader, sealHeader } from '../crypto/sealing.ts';
import { sign, verify } from '../crypto/signature.ts';
import { COMMITMENT_BYTES, KEM_CIPHERTEXT_BYTES, SIGNATURE_BYTES } from '../crypto/sizes.ts';
import { checkHeader, encodeHeader, HEADER_BYTES } from '../format/header.ts';
import { parseId, sharedObjectName, type ObjectId, type WriterId } from '../format/names.ts';
import {
  decodeWriterRecordBody,
  encodeWriterRecordBody,
  WRITER_RECORD_BYTES_MAX,
  WRITER_RECORD_PREFIX_BYTES,
} from '../format/writer-record.ts';
import type { ListedObject, ObjectStore } from '../store/object-store.ts';
import type { Writer } from './machine.ts';
import { damaged, readObject } from './objects.ts';
import { visitEach } from './read-each.ts';
import type { Revocation } from './revocations.ts';

/** What a reader knows about a machine that may write. */
export type KnownWriter = {
  readonly id: WriterId;
  readonly machine: string;
  readonly since: string;
  readonly signingKey: Uint8Array;
  readonly key: Uint8Array;
  readonly subkeys: WriterSubkeys;
  /** It may not write any more. */
  readonly revoked?: Revocation;
};

const WRITERS_MAX = 10_000;

/** The record of a new writer: name and bytes. */
export function makeWriterRecord(
  repository: string,
  identity: Identity,
  writer: Writer,
  time: string,
): { name: string; bytes: Uint8Array } {
  const header = encodeHeader({ kind: 'writer record', ...recordPlace(repository, writer.id) });
  const prefix = concatBytes(header, writer.signing.publicKey);
  const sealed = sealHeader(identity.recipient.publicKey, prefix);
  const body = encodeWriterRecordBody({ machine: writer.machine, time, writerKey: writer.key });
  const signed = concatBytes(sealed.header, sealBody(sealed.objectKey, body));
  const signature = sign('writer record', signed, identity.root.secretKey);
  return { name: sharedObjectName('writers', writer.id), bytes: concatBytes(signed, signature) };
}

export type WriterRecords = {
  readonly writers: ReadonlyMap<WriterId, KnownWriter>;
  /** Records that cannot be believed; whatever their writers stored does not count. */
  readonly problems: readonly { readonly object: string; readonly error: FerryError }[];
};

/** Reads and verifies every record. */
export async function readWriterRecords(
  store: ObjectStore,
  repository: string,
  identity: Identity,
  signal: AbortSignal,
): Promise<WriterRecords> {
  const writers = new Map<WriterId, KnownWriter>();
  const problems: { object: string; error: FerryError }[] = [];
  await visitEach(
    atMost(WRITERS_MAX, store.list('writers/', signal)),
    async ({ name }) => {
      const bytes = await readObject(store, name, WRITER_RECORD_BYTES_MAX, signal);
      return openWriterRecord(bytes, name, repository, identity);
    },
    {
      good: (_listed, writer) => void writers.set(writer.id, writer),
      fault: ({ name }, error) => void problems.push({ object: name, error }),
    },
    signal,
  );
  return { writers, problems };
}

async function* atMost(
  max: number,
  listing: AsyncIterable<ListedObject>,
): AsyncGenerator<ListedObject> {
  let count = 0;
  for await (const listed of listing) {
    count += 1;
    if (count > max) throw damaged('writers/', 'too many writer records');
    yield listed;
  }
}

/** @throws object-damaged, object-foreign when it is not what the root key signed for this name */
export function openWriterRecord(
  bytes: Uint8Array,
  name: string,
  repository: string,
  identity: Identity,
): KnownWriter {
  const id = parseId<WriterId>(name.slice('writers/'.length));
  if (!id) throw damaged(name, 'its name is none of ours');
  checkHeader(bytes, { kind: 'writer record', ...recordPlace(repository, id) }, name);
  const headerBytes = WRITER_RECORD_PREFIX_BYTES + KEM_CIPHERTEXT_BYTES + COMMITMENT_BYTES;
  if (bytes.length < headerBytes + SIGNATURE_BYTES) throw damaged(name, 'it ends too early');
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  const signature = bytes.subarray(signed.length);
  if (!verify('writer record', signed, signature, identity.root.publicKey)) {
    throw new FerryError('object-foreign', `${name} is not signed by this repository's root key`, {
      hint: 'Somebody who may write to the bucket put it there: do not trust that machine.',
    });
  }
  const header = bytes.subarray(0, headerBytes);
  const objectKey = openHeader(identity.recipient.secretKey, header, WRITER_RECORD_PREFIX_BYTES);
  const plaintext = objectKey && openBody(objectKey, signed.subarray(headerBytes));
  if (!plaintext) throw damaged(name, 'it cannot be unsealed');
  const body = decodeWriterRecordBody(plaintext, name);
  return {
    id,
    machine: body.machine,
    since: body.time,
    signingKey: bytes.slice(HEADER_BYTES, WRITER_RECORD_PREFIX_BYTES),
    key: body.writerKey,
    subkeys: writerSubkeys(body.writerKey),
  };
}

/** A writer record has no object id of its own: its writer's id stands in both places. */
const recordPlace = (
  repository: string,
  id: WriterId,
): { repository: Uint8Array; writer: WriterId; object: ObjectId } => ({
  repository: fromHex(repository),
  writer: id,
  object: id as string as ObjectId,
});
