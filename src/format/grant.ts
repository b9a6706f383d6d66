/**
 * A grant `grants/<id>`: header ‖ snapshot id ‖ u64 end ‖ box under the grant key of a ticket, with all before it as
 * associated data. It holds what the holder of the ticket needs to land one snapshot, and nothing else: the keys of
 * just its objects, and the addresses by which they may be fetched.
 */
import { z } from 'zod';
import { ByteReader, ByteWriter, concatBytes, fromHex, utf8 } from '../base/bytes.ts';
import { BOX_OVERHEAD_BYTES, openBox, sealBox } from '../crypto/box.ts';
import type { Random } from '../crypto/sodium.ts';
import { FerryError } from '../base/errors.ts';
import { ADDRESS_SIGNATURE_BYTES, isAddressBase, type AddressTemplate } from './address.ts';
import { checkHeader, encodeHeader, HEADER_BYTES } from './header.ts';
import { parseJson } from './json.ts';
import { ID_BYTES, idBytes, idFromBytes, type ObjectId, type WriterId } from './names.ts';
import { PACK_LIMITS } from './pack.ts';
import { decodePadded, encodePadded } from './padded.ts';
import { coverSchema } from './snapshot.ts';

const id16 = z.string().regex(/^[0-9a-f]{32}$/);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);

const objectKeySchema = z.object({ key: hex32, headerHash: hex32 });
const putSchema = z.object({ get: hex32, put: hex32 });

/** As wide as in a ticket; whatever is longer is no date either. */
const seconds = z.int().positive().max(0xffff_ffff);

const factsSchema = z.object({
  snapshot: z.object({ id: id16, digest: hex32, ...objectKeySchema.shape }),
  cover: coverSchema,
  machine: z.string().max(200),
  signingKey: hex32,
  chunkIdKey: hex32,
  /** Whether two claims at the same moment exclude each other for sure. */
  createOnly: z.enum(['atomic', 'racy', 'none']),
  /** Absent for a folder, which needs no addresses. */
  addresses: z
    .object({
      template: z.object({
        base: z.string().max(1000).refine(isAddressBase),
        region: z.string().max(100),
        accessKeyId: z.string().max(200),
        signedAtSeconds: seconds,
        lifeSeconds: seconds,
        token: z.string().max(8192).optional(),
      }),
      snapshot: hex32,
      claim: putSchema,
      receipt: putSchema,
    })
    .optional(),
});

export type GrantFacts = z.infer<typeof factsSchema>;

export type GrantedPack = {
  readonly writer: WriterId;
  readonly pack: ObjectId;
  readonly size: number;
  readonly key: Uint8Array;
  readonly headerHash: Uint8Array;
  /** Of its address; 32 zero bytes for a folder. */
  readonly signature: Uint8Array;
};

export type Grant = {
  readonly repository: string;
  readonly writer: WriterId;
  readonly id: ObjectId;
  /** When it dies, by the store's clock. */
  readonly endsAtMs: number;
  readonly facts: GrantFacts;
  readonly packs: readonly GrantedPack[];
};

export const GRANT_BYTES_MAX = 16 * 1024 * 1024;
/** 132 bytes each: well within what a grant may have. */
export const GRANT_PACKS_MAX = 100_000;
/** What a grant says to everybody. */
export const CLEAR_BYTES = HEADER_BYTES + ID_BYTES + 8;

export function sealGrant(key: Uint8Array, grant: Grant, random: Random): Uint8Array {
  const clear = new ByteWriter(CLEAR_BYTES)
    .bytes(
      encodeHeader({
        kind: 'grant',
        repository: fromHex(grant.repository),
        writer: grant.writer,
        object: grant.id,
      }),
    )
    .bytes(fromHex(grant.facts.snapshot.id))
    .u64(grant.endsAtMs)
    .take();
  return concatBytes(clear, sealBox(key, clear, encodePadded(plaintextOf(grant)), random));
}

function plaintextOf({ facts, packs }: Grant): Uint8Array {
  const json = utf8(JSON.stringify(factsSchema.parse(facts)));
  const writer = new ByteWriter().u32(json.length).bytes(json).u32(packs.length);
  for (const pack of packs) {
    writer.bytes(idBytes(pack.writer)).bytes(idBytes(pack.pack)).u32(pack.size);
    writer.bytes(pack.key).bytes(pack.headerHash).bytes(pack.signature);
  }
  return writer.view();
}

/** @throws object-damaged, object-foreign, format-too-new */
export function openGrant(key: Uint8Array, id: ObjectId, bytes: Uint8Array, name: string): Grant {
  const reader = new ByteReader(bytes, name);
  if (bytes.length < CLEAR_BYTES + BOX_OVERHEAD_BYTES) throw reader.damaged('it ends too early');
  const repository = bytes.subarray(16, 32);
  const writer = idFromBytes<WriterId>(bytes.subarray(32, 48));
  checkHeader(bytes, { kind: 'grant', repository, writer, object: id }, name);
  reader.bytes(HEADER_BYTES);
  const snapshot = reader.bytes(ID_BYTES).toString('hex');
  const endsAtMs = reader.u64();
  const plaintext = openBox(key, bytes.subarray(0, CLEAR_BYTES), bytes.subarray(CLEAR_BYTES));
  if (!plaintext) throw reader.damaged('it does not open with this ticket');
  const { facts, packs } = decodePlaintext(decodePadded(plaintext, name), name);
  if (facts.snapshot.id !== snapshot) {
    throw new FerryError('object-damaged', `${name} is damaged: it names two snapshots`);
  }
  const hex = Buffer.from(repository).toString('hex');
  return { repository: hex, writer, id, endsAtMs, facts, packs };
}

export type GrantInTheClear = {
  readonly writer: WriterId;
  readonly snapshot: ObjectId;
  /** As whoever stored it says. */
  readonly endsAtMs: number;
};

/**
 * What can be read without the ticket, and was not proved by anybody.
 * @throws object-damaged, object-foreign, format-too-new
 */
export function readGrantInTheClear(
  repository: Uint8Array,
  id: ObjectId,
  bytes: Uint8Array,
  name: string,
): GrantInTheClear {
  const reader = new ByteReader(bytes, name);
  const writer = idFromBytes<WriterId>(reader.bytes(HEADER_BYTES).subarray(32, 48));
  checkHeader(bytes, { kind: 'grant', repository, writer, object: id }, name);
  const snapshot = idFromBytes<ObjectId>(reader.bytes(ID_BYTES));
  return { writer, snapshot, endsAtMs: reader.u64() };
}

function decodePlaintext(bytes: Uint8Array, name: string): Pick<Grant, 'facts' | 'packs'> {
  const reader = new ByteReader(bytes, name);
  const facts = parseJson(factsSchema, reader.bytes(reader.u32()), name);
  const count = reader.u32();
  if (count > GRANT_PACKS_MAX) throw reader.damaged('too many packs');
  const packs: GrantedPack[] = [];
  for (let index = 0; index < count; index++) {
    const writer = idFromBytes<WriterId>(reader.bytes(ID_BYTES));
    const pack = idFromBytes<ObjectId>(reader.bytes(ID_BYTES));
    const size = reader.u32();
    if (size > PACK_LIMITS.packBytesMax) throw reader.damaged('a pack has an impossible size');
    const [key, headerHash] = [reader.bytes(32), reader.bytes(32)];
    packs.push({
      writer,
      pack,
      size,
      key,
      headerHash,
      signature: reader.bytes(ADDRESS_SIGNATURE_BYTES),
    });
  }
  reader.end();
  return { facts, packs };
}

/** The template as its users take it: an absent token is one of its values. */
export function templateOf(facts: GrantFacts): AddressTemplate | undefined {
  const template = facts.addresses?.template;
  return template && { ...template, token: template.token };
}
