/**
 * Letters and digits only: nothing that a shell, a chat program or a line break changes, and a double click selects
 * all of it. Blocks of 8 bytes become 11 characters, as numbers with the most significant digit first.
 */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Every character that may stand where one was mistyped. */
export const BASE62_CHARACTERS: readonly string[] = ALPHABET.split('');
const DIGITS = new Map(BASE62_CHARACTERS.map((character, digit) => [character, BigInt(digit)]));
export const BLOCK_BYTES = 8;
export const BLOCK_CHARACTERS = 11;
/** Characters for a last block of so many bytes. */
const CHARACTERS_OF = [0, 2, 3, 5, 6, 7, 9, 10, 11] as const;

export function toBase62(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    text += encodeBlock(bytes.subarray(at, at + BLOCK_BYTES));
  }
  return text;
}

/** undefined for a text that `toBase62` never makes. */
export function fromBase62(text: string): Buffer | undefined {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += BLOCK_CHARACTERS) {
    const block = decodeBlock(text.slice(at, at + BLOCK_CHARACTERS));
    if (!block) return undefined;
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

export const isBase62 = (text: string): boolean => /^[0-9A-Za-z]*$/.test(text);

function encodeBlock(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let left = CHARACTERS_OF[bytes.length] ?? 0; left > 0; left--) {
    text = (ALPHABET[Number(value % 62n)] ?? '') + text;
    value /= 62n;
  }
  return text;
}

export function decodeBlock(text: string): Uint8Array | undefined {
  const length = CHARACTERS_OF.findIndex((characters) => characters === text.length);
  if (length <= 0) return undefined;
  let value = 0n;
  for (const character of text) {
    const digit = DIGITS.get(character);
    if (digit === undefined) return undefined;
    value = value * 62n + digit;
  }
  if (value >> BigInt(length * 8)) return undefined;
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}
