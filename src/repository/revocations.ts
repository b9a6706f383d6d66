/** Revocations: which machines may not write any more, and what of theirs counts all the same. Said by the root key. */
import { concatBytes, fromHex } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { sign, verify } from '../crypto/signature.ts';
import type { KeyPair } from '../crypto/sodium.ts';
import { parseId, sharedObjectName, type WriterId } from '../format/names.ts';
import {
  decodeRevocation,
  encodeRevocation,
  REVOCATION_BYTES_MAX,
  type CountedSnapshot,
  type RevocationBody,
} from '../format/revocation.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { RevokedMark } from './machine.ts';
import { damaged, readObject, timeText } from './objects.ts';
import { visitEach } from './read-each.ts';

export type Revocation = {
  readonly writer: WriterId;
  /** RFC 3339. */
  readonly time: string;
  /** The last snapshot that counts; undefined: none does. */
  readonly last: CountedSnapshot | undefined;
  /** Of what counts, with the numbers; undefined where the record is gone and only its end is remembered. */
  readonly digests: ReadonlyMap<string, number> | undefined;
};

/** Does a snapshot of a revoked machine count? */
export function countsStill(
  { last, digests }: Revocation,
  { sequence, digest }: CountedSnapshot,
): boolean {
  if (digests) return digests.has(digest);
  return last !== undefined && (sequence < last.sequence || digest === last.digest);
}

/** The record of a machine that may not write any more: name and bytes. */
export function makeRevocation(
  repository: string,
  root: KeyPair,
  writer: WriterId,
  body: RevocationBody,
): { name: string; bytes: Uint8Array } {
  const signed = encodeRevocation(fromHex(repository), writer, body);
  const bytes = concatBytes(signed, sign('revocation', signed, root.secretKey));
  return { name: sharedObjectName('revocations', writer), bytes };
}

/** @throws object-damaged, object-foreign when it is not what the root key signed for this name */
export function openRevocation(
  bytes: Uint8Array,
  name: string,
  repository: string,
  root: Uint8Array,
): Revocation {
  const writer = parseId<WriterId>(name.slice('revocations/'.length));
  if (!writer) throw damaged(name, 'its name is none of ours');
  const decoded = decodeRevocation(bytes, fromHex(repository), writer, name);
  if (!verify('revocation', decoded.signed, decoded.signature, root)) {
    throw new FerryError('object-foreign', `${name} is not signed by this repository's root key`, {
      hint: 'Somebody who may write to the bucket put it there: it revokes nobody.',
      details: { object: name },
    });
  }
  return {
    writer,
    time: timeText(decoded.timeMs),
    last: decoded.snapshots.at(-1),
    digests: new Map(decoded.snapshots.map(({ digest, sequence }) => [digest, sequence])),
  };
}

/** @throws object-damaged, object-foreign */
export async function readRevocation(
  store: ObjectStore,
  repository: string,
  root: Uint8Array,
  writer: WriterId,
  signal: AbortSignal,
): Promise<Revocation | undefined> {
  const name = sharedObjectName('revocations', writer);
  const answer = await store.get(name, undefined, signal);
  return answer && openRevocation(answer.bytes, name, repository, root);
}

export type Revocations = {
  readonly revoked: ReadonlyMap<WriterId, Revocation>;
  /** What lies in their place and revokes nobody. */
  readonly problems: readonly { readonly object: string; readonly error: FerryError }[];
};

/** Reads and verifies every record. */
export async function readRevocations(
  store: ObjectStore,
  repository: string,
  root: Uint8Array,
  signal: AbortSignal,
): Promise<Revocations> {
  const revoked = new Map<WriterId, Revocation>();
  const problems: { object: string; error: FerryError }[] = [];
  await visitEach(
    store.list('revocations/', signal),
    async ({ name }) => {
      const bytes = await readObject(store, name, REVOCATION_BYTES_MAX, signal);
      return openRevocation(bytes, name, repository, root);
    },
    {
      good: (_listed, revocation) => void revoked.set(revocation.writer, revocation),
      fault: ({ name }, error) => void problems.push({ object: name, error }),
    },
    signal,
  );
  return { revoked, problems };
}

/** What settings keep of a revocation, so that nobody takes one back unnoticed. */
export const markOf = ({ time, last }: Revocation): RevokedMark => ({
  time,
  last: last ?? null,
});

/** A revocation of which only that is left. */
export const remembered = (writer: WriterId, { time, last }: RevokedMark): Revocation => ({
  writer,
  time,
  last: last ?? undefined,
  digests: undefined,
});

/** @throws machine-revoked */
export function refuseRevoked(
  revoked: Revocation | undefined,
  { machine, location }: { readonly machine: string; readonly location: string },
): void {
  if (!revoked) return;
  throw new FerryError(
    'machine-revoked',
    `this machine ("${machine}") was revoked on ${revoked.time.slice(0, 10)}: what it pushes does not count`,
    {
      hint: `Who has the passphrase can let it in again, as a new one: stateferry join '${location}'`,
    },
  );
}
