/** Where a ticket was mistyped: every single change is tried against its checksum, 40 bits of which leave no chance. */
import {
  BASE62_CHARACTERS,
  BLOCK_CHARACTERS,
  BLOCK_BYTES,
  decodeBlock,
  fromBase62,
} from './base62.ts';

export type Typo = {
  readonly what: 'wrong' | 'swapped' | 'missing' | 'extra';
  /** From 0. */
  readonly at: number;
};

/** A character too few or too many moves all that follow, which is slow to try on the long tickets. */
const SHIFTED_CHARACTERS_MAX = 400;

export function findTypo(text: string, isRight: (bytes: Uint8Array) => boolean): Typo | undefined {
  return (
    findWrong(text, isRight) ??
    findSwapped(text, isRight) ??
    (text.length <= SHIFTED_CHARACTERS_MAX ? findShifted(text, isRight) : undefined)
  );
}

/** Only the block of a wrong character is decoded again; with two blocks that cannot be, no single one is to blame. */
function findWrong(text: string, isRight: (bytes: Uint8Array) => boolean): Typo | undefined {
  const blocks: (Uint8Array | undefined)[] = [];
  for (let at = 0; at < text.length; at += BLOCK_CHARACTERS) {
    blocks.push(decodeBlock(text.slice(at, at + BLOCK_CHARACTERS)));
  }
  const broken = blocks.flatMap((block, index) => (block === undefined ? [index] : []));
  if (broken.length > 1) return undefined;
  const bytes = Buffer.concat(blocks.map((block) => block ?? new Uint8Array(BLOCK_BYTES)));
  for (const at of text.length === 0 ? [] : Array.from(text, (_, index) => index)) {
    const index = Math.floor(at / BLOCK_CHARACTERS);
    if (broken.length === 1 && broken[0] !== index) continue;
    const before = Buffer.from(bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES));
    for (const character of BASE62_CHARACTERS) {
      const from = index * BLOCK_CHARACTERS;
      const changed = replaceAt(text, at, character).slice(from, from + BLOCK_CHARACTERS);
      const block = decodeBlock(changed);
      if (!block || block.length > before.length) continue;
      bytes.set(block, index * BLOCK_BYTES);
      const length =
        index === blocks.length - 1 ? index * BLOCK_BYTES + block.length : bytes.length;
      if (isRight(bytes.subarray(0, length))) return { what: 'wrong', at };
    }
    bytes.set(before, index * BLOCK_BYTES);
  }
  return undefined;
}

function findSwapped(text: string, isRight: (bytes: Uint8Array) => boolean): Typo | undefined {
  for (let at = 0; at + 1 < text.length; at++) {
    const swapped =
      text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2);
    if (fits(swapped, isRight)) return { what: 'swapped', at };
  }
  return undefined;
}

function findShifted(text: string, isRight: (bytes: Uint8Array) => boolean): Typo | undefined {
  for (let at = 0; at < text.length; at++) {
    if (fits(text.slice(0, at) + text.slice(at + 1), isRight)) return { what: 'extra', at };
  }
  for (let at = 0; at <= text.length; at++) {
    for (const character of BASE62_CHARACTERS) {
      const longer = text.slice(0, at) + character + text.slice(at);
      if (fits(longer, isRight)) return { what: 'missing', at };
    }
  }
  return undefined;
}

function fits(text: string, isRight: (bytes: Uint8Array) => boolean): boolean {
  const bytes = fromBase62(text);
  return bytes !== undefined && isRight(bytes);
}

const replaceAt = (text: string, at: number, character: string): string =>
  text.slice(0, at) + character + text.slice(at + 1);
