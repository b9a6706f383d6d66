/** Making and reading snapshots: cover for the writer, body for readers, signature for both. */
import { concatBytes, fromHex, toHex } from '../base/bytes.ts';
import { assert, FerryError } from '../base/errors.ts';
import { openBox, sealBox } from '../crypto/box.ts';
import { openBody, sealBody } from '../crypto/frames.ts';
import { sealHeader } from '../crypto/sealing.ts';
import { sign, verify } from '../crypto/signature.ts';
import { blake2b256, type Random } from '../crypto/sodium.ts';
import { checkHeader, encodeHeader, type Header } from '../format/header.ts';
import {
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterId,
} from '../format/names.ts';
import {
  assembleSnapshot,
  decodeCover,
  decodeSnapshotBody,
  encodeCover,
  encodeSnapshotBody,
  SNAPSHOT_LIMITS,
  splitSnapshot,
  type Cover,
  type SnapshotBody,
  type SnapshotParts,
} from '../format/snapshot.ts';
import type { Writer } from './machine.ts';
import { damaged } from './objects.ts';
import type { PackSource } from './open.ts';
import type { Revocation } from './revocations.ts';

export type MadeSnapshot = {
  readonly id: ObjectId;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** BLAKE2b-256 of the stored bytes, hex. */
  readonly digest: string;
};

export function makeSnapshot(
  repository: string,
  recipient: Uint8Array,
  writer: Writer,
  cover: Cover,
  body: SnapshotBody,
  random: Random,
): MadeSnapshot {
  const id = idFromBytes<ObjectId>(random(16));
  const prefix = encodeHeader(snapshotHeader(repository, writer.id, id));
  const sealed = sealHeader(recipient, prefix);
  const coverBox = sealBox(writer.subkeys.cover, sealed.header, encodeCover(cover), random);
  const sealedBody = sealBody(sealed.objectKey, encodeSnapshotBody(body));
  const signed = assembleSnapshot(sealed.header, coverBox, sealedBody);
  const bytes = concatBytes(signed, sign('snapshot', signed, writer.signing.secretKey));
  assert(
    bytes.length <= SNAPSHOT_LIMITS.snapshotBytesMax,
    'a snapshot is as short as readers want',
  );
  return {
    id,
    name: writerObjectName('snapshots', writer.id, id),
    bytes,
    digest: toHex(blake2b256(bytes)),
  };
}

/** Who wrote it, as far as somebody who reads it must know: its own machine, or a record under the root key. */
export type SnapshotAuthor = {
  readonly id: WriterId;
  readonly machine: string;
  readonly signingKey: Uint8Array;
  readonly coverKey: Uint8Array;
  /** Only what this says of it counts. */
  readonly revoked?: Revocation | undefined;
};

export type OpenedCover = {
  readonly id: ObjectId;
  readonly name: string;
  readonly writer: WriterId;
  readonly machine: string;
  readonly digest: string;
  readonly cover: Cover;
};

/**
 * Verifies the signature and opens the cover.
 * @throws object-damaged, object-foreign, format-too-new
 */
export function openCover(
  bytes: Uint8Array,
  name: string,
  repository: string,
  author: SnapshotAuthor,
): OpenedCover {
  const { id, parts } = verifySnapshot(bytes, name, repository, author);
  const plaintext = openBox(author.coverKey, parts.sealedHeader, parts.coverBox);
  if (!plaintext) throw damaged(name, 'its cover does not open');
  const cover = decodeCover(plaintext, name);
  const machine = machineOf(author.machine, cover);
  return { id, name, writer: author.id, machine, digest: toHex(blake2b256(bytes)), cover };
}

/**
 * Whose install it is. A copy is of the machine it names, by the word of whoever copied it: `~` is in no machine's
 * name, so nobody can pass a snapshot off as another machine's own.
 */
export const machineOf = (author: string, { origin }: Cover): string =>
  origin ? `${origin.machine}~${author}` : author;

/**
 * That it is the snapshot of this name and was signed by its author.
 * @throws object-damaged, object-foreign, format-too-new
 */
export function verifySnapshot(
  bytes: Uint8Array,
  name: string,
  repository: string,
  author: Pick<SnapshotAuthor, 'id' | 'signingKey'>,
): { readonly id: ObjectId; readonly parts: SnapshotParts } {
  const parsed = parseWriterObjectName(name);
  if (!parsed || parsed.folder !== 'snapshots') throw damaged(name, 'its name is none of ours');
  checkHeader(bytes, snapshotHeader(repository, author.id, parsed.id), name);
  const parts = splitSnapshot(bytes, name);
  if (verify('snapshot', parts.signed, parts.signature, author.signingKey)) {
    return { id: parsed.id, parts };
  }
  throw new FerryError('object-damaged', `${name} is damaged: its signature does not match`, {
    hint: 'Use another snapshot; a second copy of the repository may have this one whole.',
    details: { object: name },
  });
}

/** The body, for a reader. The signature is `openCover`'s matter. */
export function openSnapshotBody(
  bytes: Uint8Array,
  name: string,
  repository: Pick<PackSource, 'objectKey'>,
): SnapshotBody {
  const parts = splitSnapshot(bytes, name);
  const objectKey = repository.objectKey(name, parts.sealedHeader);
  const plaintext = objectKey && openBody(objectKey, parts.sealedBody);
  if (!plaintext) throw damaged(name, 'its body cannot be unsealed');
  return decodeSnapshotBody(plaintext, name);
}

const snapshotHeader = (repository: string, writer: WriterId, object: ObjectId): Header => ({
  kind: 'snapshot',
  repository: fromHex(repository),
  writer,
  object,
});
