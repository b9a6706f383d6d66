/** Who wrote an object, as far as signatures alone can tell: with the public root key, without any secret. */
import { fromHex, toHex } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { verify, type SignaturePurpose } from '../crypto/signature.ts';
import { SIGNATURE_BYTES } from '../crypto/sizes.ts';
import { blake2b256 } from '../crypto/sodium.ts';
import { checkHeader, HEADER_BYTES } from '../format/header.ts';
import { parseId, parseWriterObjectName, type ObjectId, type WriterId } from '../format/names.ts';
import { NO_WRITER } from '../format/tombstone.ts';
import { WRITER_RECORD_PREFIX_BYTES } from '../format/writer-record.ts';
import { openForgetRecord } from './forget-records.ts';
import { damaged } from './objects.ts';
import { openRepackRecord } from './repack-records.ts';
import { openRevocation, type Revocation } from './revocations.ts';

/** Learns from writer records and revocations who may write: show it those before the snapshots. */
export class Authenticity {
  readonly #repositoryId: string;
  readonly #repository: Uint8Array;
  readonly #root: Uint8Array;
  readonly #signingKeys = new Map<WriterId, Uint8Array>();
  readonly #revoked = new Map<WriterId, Revocation>();
  checked = 0;

  /** @param root the public root key that this machine pinned */
  constructor(repository: string, root: Uint8Array) {
    this.#repositoryId = repository;
    this.#repository = fromHex(repository);
    this.#root = root;
  }

  /**
   * Says nothing about objects that carry no signature (packs, indexes, lists, key slots): what a snapshot says of
   * them is checked by whoever opens it.
   * @returns whether it counts: a snapshot that a revoked machine made afterwards does not, nor any drill of one
   * @throws object-damaged, object-foreign
   */
  check(name: string, bytes: Uint8Array): boolean {
    const [folder = '', id = ''] = name.split('/');
    if (folder === 'snapshots') return this.#checkSnapshot(name, bytes);
    if (folder === 'drills') return this.#checkDrill(name, bytes);
    if (folder === 'writers') this.#checkWriter(name, parseId<WriterId>(id), bytes);
    else if (folder === 'revocations') this.#checkRevocation(name, bytes);
    else if (folder === 'forgets') this.#checkForgetRecord(name, bytes);
    else if (folder === 'repacks') this.#checkRepackRecord(name, bytes);
    else if (folder === 'tombstones') this.#checkTombstone(name, parseId<ObjectId>(id), bytes);
    return true;
  }

  #checkWriter(name: string, id: WriterId | undefined, bytes: Uint8Array): void {
    if (!id) throw damaged(name, 'its name is none of ours');
    const object = id as string as ObjectId;
    checkHeader(
      bytes,
      { kind: 'writer record', repository: this.#repository, writer: id, object },
      name,
    );
    this.#verify(name, 'writer record', bytes, this.#root);
    this.#signingKeys.set(id, bytes.slice(HEADER_BYTES, WRITER_RECORD_PREFIX_BYTES));
  }

  #checkRevocation(name: string, bytes: Uint8Array): void {
    const revocation = openRevocation(bytes, name, this.#repositoryId, this.#root);
    this.#revoked.set(revocation.writer, revocation);
    this.checked += 1;
  }

  #checkForgetRecord(name: string, bytes: Uint8Array): void {
    openForgetRecord(bytes, name, this.#repositoryId, this.#root);
    this.checked += 1;
  }

  #checkRepackRecord(name: string, bytes: Uint8Array): void {
    openRepackRecord(bytes, name, this.#repositoryId, this.#root);
    this.checked += 1;
  }

  #checkTombstone(name: string, object: ObjectId | undefined, bytes: Uint8Array): void {
    if (!object) throw damaged(name, 'its name is none of ours');
    checkHeader(
      bytes,
      { kind: 'tombstone', repository: this.#repository, writer: NO_WRITER, object },
      name,
    );
    this.#verify(name, 'tombstone', bytes, this.#root);
  }

  #checkSnapshot(name: string, bytes: Uint8Array): boolean {
    const writer = this.#checkWritten(name, 'snapshot', bytes);
    return this.#revoked.get(writer)?.digests?.has(toHex(blake2b256(bytes))) ?? true;
  }

  #checkDrill(name: string, bytes: Uint8Array): boolean {
    return !this.#revoked.has(this.#checkWritten(name, 'drill record', bytes));
  }

  /** By the writer that its name says. */
  #checkWritten(name: string, kind: 'snapshot' | 'drill record', bytes: Uint8Array): WriterId {
    const parsed = parseWriterObjectName(name);
    if (!parsed) throw damaged(name, 'its name is none of ours');
    const { writer, id: object } = parsed;
    checkHeader(bytes, { kind, repository: this.#repository, writer, object }, name);
    const key = this.#signingKeys.get(writer);
    if (!key) {
      throw new FerryError(
        'object-foreign',
        `${name} was written by a machine with no valid writer record`,
      );
    }
    this.#verify(name, kind, bytes, key);
    return writer;
  }

  #verify(name: string, purpose: SignaturePurpose, bytes: Uint8Array, key: Uint8Array): void {
    if (bytes.length < HEADER_BYTES + SIGNATURE_BYTES) throw damaged(name, 'it ends too early');
    const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
    if (!verify(purpose, signed, bytes.subarray(signed.length), key)) {
      throw new FerryError('object-foreign', `${name} is not signed by whom it says wrote it`, {
        hint: 'It is damaged, or somebody else who may write to the bucket put it there.',
        details: { object: name },
      });
    }
    this.checked += 1;
  }
}
