/**
 * The recovery code: 160 random bits and a 20-bit checksum as 36 characters of Crockford's base32
 * (https://www.crockford.com/base32.html), printed in groups: `SF1-XXXX-XXXX-…`.
 */
import { FerryError } from '../base/errors.ts';
import { utf8 } from '../base/bytes.ts';
import { blake2b256 } from './sodium.ts';

export const RECOVERY_SECRET_BYTES = 20;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SECRET_CHARACTERS = 32;
const CHECK_CHARACTERS = 4;
const GROUP_CHARACTERS = 4;
const PREFIX = 'SF1';

export function formatRecoveryCode(secret: Uint8Array): string {
  const characters = toBase32(secret) + checksum(secret);
  const groups = characters.match(new RegExp(`.{${GROUP_CHARACTERS}}`, 'g')) ?? [];
  return [PREFIX, ...groups].join('-');
}

/** Whether a text that somebody typed at a prompt has the form of a recovery code rather than a passphrase. */
export const looksLikeRecoveryCode = (text: string): boolean =>
  /^\s*SF1[-\s]/i.test(text) && compact(text).length >= SECRET_CHARACTERS;

/**
 * The 20 secret bytes of a typed code, or of a whole recovery kit page that contains one. Case, spaces, dashes
 * and the look-alikes O, I and L do not matter.
 */
export function parseRecoveryCode(text: string): Uint8Array {
  const inPage = /SF1(?:[-\s]+[0-9A-Z]{4}){9}/i.exec(text)?.[0] ?? text;
  const characters = compact(inPage);
  if (characters.length !== SECRET_CHARACTERS + CHECK_CHARACTERS || /[^0-9A-Z]/.test(characters)) {
    throw bad(`it has ${characters.length} characters after ${PREFIX}, 36 are needed`);
  }
  const secret = fromBase32(characters.slice(0, SECRET_CHARACTERS));
  if (!secret) throw bad('it contains a letter that no recovery code has (U)');
  if (checksum(secret) !== characters.slice(SECRET_CHARACTERS)) {
    throw bad('its checksum does not match, so at least one character is mistyped');
  }
  return secret;
}

function compact(text: string): string {
  return text
    .toUpperCase()
    .trim()
    .replace(/^SF1/, '')
    .replace(/[-\s]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
}

const checksum = (secret: Uint8Array): string =>
  toBase32(blake2b256(Buffer.concat([utf8('stateferry recovery'), secret])).subarray(0, 5)).slice(
    0,
    CHECK_CHARACTERS,
  );

/** Whole groups of 5 bytes become 8 characters, most significant bit first. */
function toBase32(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  const length = (bytes.length * 8) / 5;
  let out = '';
  for (let index = 0; index < length; index++) {
    out = (ALPHABET[Number(value & 31n)] ?? '') + out;
    value >>= 5n;
  }
  return out;
}

function fromBase32(text: string): Uint8Array | undefined {
  let value = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    value = (value << 5n) | BigInt(digit);
  }
  return Buffer.from(value.toString(16).padStart(RECOVERY_SECRET_BYTES * 2, '0'), 'hex');
}

function bad(why: string): FerryError {
  return new FerryError('nothing-opens', `this is not a valid recovery code: ${why}`, {
    hint: 'Compare it with the recovery kit, group by group.',
  });
}
