/**
 * HalfSipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; 32-bit variant of the
 * reference code) over a byte string. Decides where tree pages are cut, once per entry; nothing secret hangs on
 * it but that somebody who sees sizes cannot choose names that cut where he likes.
 */

export type PathHash = (text: string) => number;

/** @param key at least 8 bytes; @returns a function to an unsigned 32-bit number */
export function pathHash(key: Uint8Array): PathHash {
  const view = Buffer.from(key);
  const k0 = view.readInt32LE(0);
  const k1 = view.readInt32LE(4);
  return (text) => halfSipHash(text, k0, k1);
}

function halfSipHash(text: string, k0: number, k1: number): number {
  const state: State = { v0: k0, v1: k1, v2: 0x6c796765 ^ k0, v3: 0x74656462 ^ k1 };
  const whole = text.length - (text.length % 4);
  for (let at = 0; at < whole; at += 4) compressWord(state, wordAt(text, at, 4));
  const tail = wordAt(text, whole, text.length - whole);
  compressWord(state, tail | (text.length << 24));
  state.v2 ^= 0xff;
  for (let index = 0; index < 4; index++) round(state);
  return (state.v1 ^ state.v3) >>> 0;
}

type State = { v0: number; v1: number; v2: number; v3: number };

function compressWord(state: State, word: number): void {
  state.v3 ^= word;
  round(state);
  round(state);
  state.v0 ^= word;
}

function wordAt(text: string, at: number, bytes: number): number {
  let word = 0;
  for (let index = 0; index < bytes; index++) word |= text.charCodeAt(at + index) << (8 * index);
  return word;
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

function round(state: State): void {
  state.v0 = (state.v0 + state.v1) | 0;
  state.v1 = rotate(state.v1, 5) ^ state.v0;
  state.v0 = rotate(state.v0, 16);
  state.v2 = (state.v2 + state.v3) | 0;
  state.v3 = rotate(state.v3, 8) ^ state.v2;
  state.v0 = (state.v0 + state.v3) | 0;
  state.v3 = rotate(state.v3, 7) ^ state.v0;
  state.v2 = (state.v2 + state.v1) | 0;
  state.v1 = rotate(state.v1, 13) ^ state.v2;
  state.v2 = rotate(state.v2, 16);
}
