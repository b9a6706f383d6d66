/**
 * A ticket: one line that holds the address of a grant and the secret that it is sealed under.
 * `sft1` ‖ base62( u16 length ‖ u8 kind ‖ secret (32) ‖ place ‖ check (5) ), where length counts all but the check.
 */
import {
  ByteReader,
  ByteWriter,
  concatBytes,
  fromHex,
  fromUtf8,
  toHex,
  utf8,
} from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { blake2b256 } from '../crypto/sodium.ts';
import { TICKET_SECRET_BYTES } from '../crypto/ticket-keys.ts';
import { ADDRESS_SIGNATURE_BYTES, isAddressBase, type AddressTemplate } from './address.ts';
import { fromBase62, isBase62, toBase62 } from './base62.ts';
import { ID_BYTES } from './names.ts';
import { readPackedText, writePackedText } from './packed-text.ts';
import { findTypo } from './ticket-typo.ts';

export type TicketPlace =
  | {
      readonly kind: 'bucket';
      readonly template: AddressTemplate;
      /** Of the address of the grant. */
      readonly signature: Uint8Array;
    }
  | {
      readonly kind: 'folder';
      readonly repository: string;
      /** Where the old machine has it; the new one may have it elsewhere. */
      readonly path: string;
    };

export type Ticket = { readonly secret: Uint8Array; readonly place: TicketPlace };

const PREFIX = 'sft';
const VERSION = 1;
const KINDS = { bucket: 1, folder: 2 } as const;
const CHECK_BYTES = 5;
const TOKEN_BYTES_MAX = 4096;
const PATH_BYTES_MAX = 1024;
/** With the longest token that is taken. */
const CHARACTERS_MAX = 8192;

export function printTicket({ secret, place }: Ticket): string {
  const writer = new ByteWriter().u16(0).u8(KINDS[place.kind]).bytes(secret);
  if (place.kind === 'bucket') {
    writeTemplate(writer, place.template);
    writer.bytes(place.signature);
  } else {
    const path = utf8(place.path);
    writer.bytes(fromHex(place.repository)).u16(path.length).bytes(path);
  }
  const payload = writer.take();
  payload.writeUInt16LE(payload.length);
  return `${PREFIX}${VERSION}${toBase62(concatBytes(payload, checkOf(payload)))}`;
}

/** Whether what somebody typed where a snapshot may stand is meant as a ticket. */
export const looksLikeTicket = (text: string): boolean => /^\s*sft\d[0-9A-Za-z\s]{20,}/.test(text);

/**
 * Line breaks, quotes and quote marks of mails that came with it do not matter.
 * @throws nothing-opens: says what is wrong with it, never what is in it
 */
export function parseTicket(text: string): Ticket {
  const line = text.replaceAll(/[\s\u00ad\u200b-\u200d\ufeff>'"`*<]/g, '');
  const version = new RegExp(`^${PREFIX}(\\d)`).exec(line)?.[1];
  if (version === undefined || line.length > CHARACTERS_MAX) {
    throw bad('it does not begin like one', `A ticket is one line that begins with ${PREFIX}1.`);
  }
  if (Number(version) > VERSION) {
    throw new FerryError('format-too-new', 'this ticket was made by a newer stateferry', {
      hint: 'Install a newer stateferry: npm install -g stateferry@latest',
    });
  }
  return decodePayload(checkedPayload(line.slice(PREFIX.length + 1)));
}

function checkedPayload(text: string): Uint8Array {
  const payload = verified(fromBase62(text));
  if (payload) return payload;
  const start = fromBase62(text.slice(0, 11));
  const length = start ? new ByteReader(start, 'the ticket').u16() + CHECK_BYTES : undefined;
  const whole = length === undefined ? undefined : toBase62(new Uint8Array(length)).length;
  const typo = findTypo(text, (bytes) => verified(bytes) !== undefined);
  const number = (typo?.at ?? 0) + PREFIX.length + 2;
  if (typo?.what === 'wrong') throw bad(`its character number ${number} is mistyped`);
  if (typo?.what === 'swapped') throw bad(`its characters ${number} and ${number + 1} are swapped`);
  if (typo?.what === 'missing') throw bad(`a character is missing before number ${number}`);
  if (typo?.what === 'extra') throw bad(`its character number ${number} is one too many`);
  if (!isBase62(text)) {
    const at = text.search(/[^0-9A-Za-z]/) + PREFIX.length + 2;
    throw bad(`its character number ${at} is none that a ticket has`);
  }
  if (whole !== undefined && whole > text.length && whole <= CHARACTERS_MAX) {
    const characters = text.length + PREFIX.length + 1;
    throw bad(`it is cut off: ${characters} of ${whole + PREFIX.length + 1} characters are here`);
  }
  throw bad('its checksum does not match, so several characters are mistyped');
}

function verified(bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (!bytes || bytes.length < 2 + 1 + TICKET_SECRET_BYTES + CHECK_BYTES) return undefined;
  const payload = bytes.subarray(0, bytes.length - CHECK_BYTES);
  if (new ByteReader(payload, 'the ticket').u16() !== payload.length) return undefined;
  return checkOf(payload).equals(bytes.subarray(payload.length)) ? payload : undefined;
}

const checkOf = (payload: Uint8Array): Buffer =>
  Buffer.from(blake2b256(concatBytes(utf8('stateferry ticket'), payload)).subarray(0, CHECK_BYTES));

function decodePayload(payload: Uint8Array): Ticket {
  const reader = new ByteReader(payload, 'the ticket');
  reader.u16();
  const kind = reader.u8();
  const secret = Uint8Array.from(reader.bytes(TICKET_SECRET_BYTES));
  const place = kind === KINDS.bucket ? readBucket(reader) : readFolder(reader, kind);
  reader.end();
  return { secret, place };
}

function readBucket(reader: ByteReader): TicketPlace {
  const template = readTemplate(reader);
  const signature = Uint8Array.from(reader.bytes(ADDRESS_SIGNATURE_BYTES));
  return { kind: 'bucket', template, signature };
}

function readFolder(reader: ByteReader, kind: number): TicketPlace {
  if (kind !== KINDS.folder) throw reader.damaged('it leads to no kind of place that is known');
  const repository = toHex(reader.bytes(ID_BYTES));
  const length = reader.u16();
  if (length > PATH_BYTES_MAX) throw reader.damaged('its path is too long');
  return { kind: 'folder', repository, path: fromUtf8(reader.bytes(length)) };
}

function writeTemplate(writer: ByteWriter, template: AddressTemplate): void {
  writePackedText(writer, template.base);
  writePackedText(writer, template.region);
  writePackedText(writer, template.accessKeyId);
  writer.u32(template.signedAtSeconds).u32(template.lifeSeconds);
  const token = utf8(template.token ?? '');
  const raw = Buffer.from(template.token ?? '', 'base64');
  // Most tokens are base64: kept as the bytes that it stands for.
  const isBase64 = raw.toString('base64') === template.token;
  const kept = isBase64 ? raw : token;
  writer
    .u8(isBase64 ? 1 : 0)
    .u16(kept.length)
    .bytes(kept);
}

function readTemplate(reader: ByteReader): AddressTemplate {
  const base = readPackedText(reader);
  if (!isAddressBase(base)) throw reader.damaged('it leads to no address that a store can have');
  const region = readPackedText(reader);
  const accessKeyId = readPackedText(reader);
  const signedAtSeconds = reader.u32();
  const lifeSeconds = reader.u32();
  const isBase64 = reader.u8() === 1;
  const length = reader.u16();
  if (length > TOKEN_BYTES_MAX) throw reader.damaged('its token is too long');
  const kept = reader.bytes(length);
  const token = length === 0 ? undefined : isBase64 ? kept.toString('base64') : fromUtf8(kept);
  return { base, region, accessKeyId, signedAtSeconds, lifeSeconds, token };
}

function bad(why: string, hint?: string): FerryError {
  return new FerryError('nothing-opens', `this is not a whole ticket: ${why}`, {
    hint: hint ?? 'Copy the whole line again, or have it piped in: stateferry pull - < FILE',
  });
}
