/** Drill records: proof that restores work, and a witness to how far everybody's snapshots reached. */
import { concatBytes, fromHex, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { sign, verify } from '../crypto/signature.ts';
import { SIGNATURE_BYTES } from '../crypto/sizes.ts';
import type { Random } from '../crypto/sodium.ts';
import {
  decodeDrillRecord,
  DRILL_RECORD_LIMITS,
  encodeDrillRecord,
  type DrillRecordBody,
} from '../format/drill-record.ts';
import { checkHeader, HEADER_BYTES, type Header } from '../format/header.ts';
import {
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterId,
} from '../format/names.ts';
import { openBoxed, sealBoxed } from './boxed.ts';
import type { RepositoryCache } from './cache.ts';
import type { Writer } from './machine.ts';
import { damaged, readObject } from './objects.ts';
import { readEach } from './read-each.ts';
import type { ReaderRepository, WriterRepository } from './open.ts';

export type OpenedDrill = {
  readonly name: string;
  /** The machine that ran it. */
  readonly writer: WriterId;
  readonly ranBy: string;
  readonly body: DrillRecordBody;
};

export type StoredDrill = OpenedDrill & {
  readonly size: number;
  /** By the store's own time. */
  readonly storedMs: number;
};

/** The machine that ran a drill, as far as its records are believed. */
export type DrillAuthor = Pick<Writer, 'id' | 'machine'> & {
  readonly signingKey: Uint8Array;
  readonly drillKey: Uint8Array;
};

export function makeDrillRecord(
  repository: string,
  writer: Writer,
  body: DrillRecordBody,
  random: Random,
): { name: string; bytes: Uint8Array } {
  const object = idFromBytes<ObjectId>(random(16));
  const header = drillHeader(repository, writer.id, object);
  const { drillRecord } = writer.subkeys;
  const signed = sealBoxed(drillRecord, header, encodeDrillRecord(body), random);
  const bytes = concatBytes(signed, sign('drill record', signed, writer.signing.secretKey));
  return { name: writerObjectName('drills', writer.id, object), bytes };
}

/** @throws object-damaged, object-foreign, format-too-new */
export function openDrillRecord(
  bytes: Uint8Array,
  name: string,
  repository: string,
  author: DrillAuthor,
): OpenedDrill {
  const parsed = parseWriterObjectName(name);
  if (!parsed || parsed.folder !== 'drills') throw damaged(name, 'its name is none of ours');
  if (bytes.length < HEADER_BYTES + SIGNATURE_BYTES) throw damaged(name, 'it ends too early');
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  const header = drillHeader(repository, author.id, parsed.id);
  checkHeader(bytes, header, name);
  if (!verify('drill record', signed, bytes.subarray(signed.length), author.signingKey)) {
    throw new FerryError('object-foreign', `${name} is not signed by the machine that it names`, {
      hint: 'It proves nothing: it is damaged, or somebody else who may write there put it there.',
      details: { object: name },
    });
  }
  const body = decodeDrillRecord(openBoxed(author.drillKey, header, signed, name), name);
  return { name, writer: author.id, ranBy: author.machine, body };
}

/**
 * Every drill that can be believed, oldest first: of machines that the root key let in and that were not revoked. A
 * writer sees only those that it ran itself.
 */
export async function listDrills(
  repository: ReaderRepository | WriterRepository,
  emit: Emit,
  signal: AbortSignal,
): Promise<StoredDrill[]> {
  const authors = authorsOf(repository);
  const only = 'writer' in repository ? `${repository.writer.id}/` : '';
  const drills = await readEach(
    repository.store.list(`drills/${only}`, signal),
    async (listed) => {
      const author = authors.get(parseWriterObjectName(listed.name)?.writer ?? '');
      if (!author) return undefined;
      const { size, modifiedMs: storedMs } = listed;
      return { ...(await drillOf(repository, author, listed, signal)), size, storedMs };
    },
    ({ name: path }, { code, message }) => emit({ type: 'problem', path, code, message }),
    signal,
  );
  return drills.toSorted(byTime);
}

const byTime = (a: OpenedDrill, b: OpenedDrill): number =>
  a.body.time === b.body.time ? 0 : a.body.time < b.body.time ? -1 : 1;

async function drillOf(
  { id, store, cache }: ReaderRepository | WriterRepository,
  author: DrillAuthor,
  { name, size }: { readonly name: string; readonly size: number },
  signal: AbortSignal,
): Promise<OpenedDrill> {
  // Under the key that it was verified with: another repository may call itself by the same id.
  const row = `${name} ${size} ${toHex(author.signingKey)}`;
  const known = cachedDrill(cache, row);
  if (known) return { ...known, ranBy: author.machine };
  const bytes = await readObject(store, name, DRILL_RECORD_LIMITS.recordBytesMax, signal);
  const opened = openDrillRecord(bytes, name, id, author);
  cache.setObject(row, utf8(JSON.stringify(opened)));
  return opened;
}

/** What this machine verified before; written by nobody but us. */
function cachedDrill(cache: RepositoryCache, row: string): OpenedDrill | undefined {
  const bytes = cache.object(row);
  if (!bytes) return undefined;
  try {
    // Our own words from our own cache, in the shape they were written.
    return JSON.parse(fromUtf8(bytes)) as OpenedDrill;
  } catch {
    // A damaged row: the record itself is read again.
    return undefined;
  }
}

function authorsOf(
  repository: ReaderRepository | WriterRepository,
): ReadonlyMap<string, DrillAuthor> {
  if ('writer' in repository) {
    const { id, machine, signing, subkeys } = repository.writer;
    const own = { id, machine, signingKey: signing.publicKey, drillKey: subkeys.drillRecord };
    return new Map([[id, own]]);
  }
  const believed = [...repository.writers.values()].filter(({ revoked }) => !revoked);
  return new Map(
    believed.map(({ id, machine, signingKey, subkeys }) => [
      id,
      { id, machine, signingKey, drillKey: subkeys.drillRecord },
    ]),
  );
}

const drillHeader = (repository: string, writer: WriterId, object: ObjectId): Header => ({
  kind: 'drill record',
  repository: fromHex(repository),
  writer,
  object,
});
