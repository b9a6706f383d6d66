/**
 * A QR code (ISO/IEC 18004) of a line of text: byte mode, the lowest level of error correction (a screen does not get
 * dirty), the smallest version that holds it. Our own, since it is one page: no dependency for a picture.
 */
import { assert } from '../base/errors.ts';
import { correctionOf } from './reed-solomon.ts';

/** Error correction of level L, by version: codewords in each block, and blocks. */
const CORRECTION = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26,
  28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
];
const BLOCKS = [
  1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15,
  16, 17, 18, 19, 19, 20, 21, 22, 24, 25,
];
const BYTE_MODE = 0b0100;
const PADDING = [0xec, 0x11];

/** Rows of modules, true where dark, without the quiet zone; undefined: more than any QR code holds. */
export function qrCode(text: Uint8Array): readonly (readonly boolean[])[] | undefined {
  const version =
    CORRECTION.findIndex((_, at) => bitsFor(text, at + 1) <= dataBytes(at + 1) * 8) + 1;
  if (version === 0) return undefined;
  const drawn = MASKS.map((_, mask) => draw(version, interleaved(version, text), mask));
  const [best] = drawn.toSorted((a, b) => penaltyOf(a) - penaltyOf(b));
  assert(best, 'there are masks');
  return best;
}

const countBits = (version: number): number => (version < 10 ? 8 : 16);
const bitsFor = (text: Uint8Array, version: number): number =>
  4 + countBits(version) + text.length * 8;

/** Modules that are no part of a pattern. */
function dataModules(version: number): number {
  const all = (16 * version + 128) * version + 64;
  if (version === 1) return all;
  const alignments = Math.floor(version / 7) + 2;
  const rest = all - ((25 * alignments - 10) * alignments - 55);
  return version < 7 ? rest : rest - 36;
}

const allBytes = (version: number): number => Math.floor(dataModules(version) / 8);
const correctionBytes = (version: number): number => CORRECTION[version - 1] ?? 0;
const blocksOf = (version: number): number => BLOCKS[version - 1] ?? 1;
const dataBytes = (version: number): number =>
  allBytes(version) - correctionBytes(version) * blocksOf(version);

/** Mode, length, text, end and padding. */
function encoded(version: number, text: Uint8Array): Uint8Array {
  const bits = [...bitsOf(BYTE_MODE, 4), ...bitsOf(text.length, countBits(version))];
  for (const byte of text) bits.push(...bitsOf(byte, 8));
  const capacity = dataBytes(version);
  // Up to four zeros end the text; the rest of the byte is zeros in any case.
  const used = Math.min(capacity, Math.ceil((bits.length + 4) / 8));
  return Uint8Array.from({ length: capacity }, (_, at) =>
    at < used ? byteAt(bits, at) : (PADDING[(at - used) % 2] ?? 0),
  );
}

const bitsOf = (value: number, length: number): number[] =>
  Array.from({ length }, (_, at) => (value >>> (length - 1 - at)) & 1);

const byteAt = (bits: readonly number[], at: number): number =>
  Array.from({ length: 8 }, (_, bit) => bits[at * 8 + bit] ?? 0).reduce(
    (sum, bit) => sum * 2 + bit,
  );

/** Text and error correction, block by block, dealt out byte by byte. */
function interleaved(version: number, text: Uint8Array): Uint8Array {
  const data = encoded(version, text);
  const blocks = blocksOf(version);
  const long = data.length % blocks;
  const shortBytes = Math.floor(data.length / blocks);
  const parts: Uint8Array[] = [];
  for (let block = 0, from = 0; block < blocks; block++) {
    const length = shortBytes + (block < blocks - long ? 0 : 1);
    parts.push(data.subarray(from, from + length));
    from += length;
  }
  const checks = parts.map((part) => correctionOf(part, correctionBytes(version)));
  return Uint8Array.from([...dealt(parts), ...dealt(checks)]);
}

function* dealt(parts: readonly Uint8Array[]): Generator<number> {
  const longest = Math.max(...parts.map(({ length }) => length));
  for (let at = 0; at < longest; at++) {
    for (const part of parts) {
      const byte = part[at];
      if (byte !== undefined) yield byte;
    }
  }
}

type Modules = (boolean | undefined)[][];

function draw(version: number, bytes: Uint8Array, mask: number): boolean[][] {
  const size = version * 4 + 17;
  const modules: Modules = Array.from({ length: size }, () =>
    Array<undefined>(size).fill(undefined),
  );
  drawPatterns(modules, version);
  drawFormat(modules, mask);
  drawBytes(modules, bytes, mask);
  return modules.map((row) => row.map((module) => module === true));
}

const set = (modules: Modules, x: number, y: number, isDark: boolean): void => {
  const row = modules[y];
  if (row && x >= 0 && x < row.length) row[x] = isDark;
};

function drawPatterns(modules: Modules, version: number): void {
  const size = modules.length;
  for (let at = 0; at < size; at++) {
    set(modules, 6, at, at % 2 === 0);
    set(modules, at, 6, at % 2 === 0);
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    drawRings(modules, x, y, 4);
  const places = alignmentPlaces(version);
  const last = places.length - 1;
  for (const [i, x] of places.entries()) {
    for (const [j, y] of places.entries()) {
      const isFinder = (i === 0 && (j === 0 || j === last)) || (i === last && j === 0);
      if (!isFinder) drawRings(modules, x, y, 2);
    }
  }
  if (version >= 7) drawVersion(modules, version);
}

/** Squares around a centre: a finder has four rings, of which the second and the last are light; an alignment two. */
function drawRings(modules: Modules, x: number, y: number, rings: 2 | 4): void {
  for (let dy = -rings; dy <= rings; dy++) {
    for (let dx = -rings; dx <= rings; dx++) {
      const ring = Math.max(Math.abs(dx), Math.abs(dy));
      set(modules, x + dx, y + dy, rings === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
    }
  }
}

function alignmentPlaces(version: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  const last = version * 4 + 10;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => last - at * step).toReversed()];
}

function drawVersion(modules: Modules, version: number): void {
  const bits = (version << 12) | remainder(version, 12, 0x1f25);
  for (let bit = 0; bit < 18; bit++) {
    const isDark = ((bits >>> bit) & 1) === 1;
    const [far, near] = [modules.length - 11 + (bit % 3), Math.floor(bit / 3)];
    set(modules, far, near, isDark);
    set(modules, near, far, isDark);
  }
}

/** Level and mask, twice. */
function drawFormat(modules: Modules, mask: number): void {
  const size = modules.length;
  const value = (0b01 << 3) | mask;
  const bits = ((value << 10) | remainder(value, 10, 0x537)) ^ 0x5412;
  for (let bit = 0; bit < 15; bit++) {
    const isDark = ((bits >>> bit) & 1) === 1;
    // Around the finder on the left above, past the timing patterns.
    if (bit < 8) set(modules, 8, bit < 6 ? bit : bit + 1, isDark);
    else set(modules, bit === 8 ? 7 : 14 - bit, 8, isDark);
    if (bit < 8) set(modules, size - 1 - bit, 8, isDark);
    else set(modules, 8, size - 15 + bit, isDark);
  }
  set(modules, 8, size - 8, true);
}

/** Of a polynomial division over GF(2). */
function remainder(value: number, bits: number, polynomial: number): number {
  let rest = value;
  for (let at = 0; at < bits; at++) rest = (rest << 1) ^ ((rest >>> (bits - 1)) * polynomial);
  return rest;
}

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** Up and down in pairs of columns from the right, wherever no pattern is. */
function drawBytes(modules: Modules, bytes: Uint8Array, mask: number): void {
  const size = modules.length;
  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const isUp = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++) {
      for (const x of [right, right - 1]) {
        const y = isUp ? size - 1 - step : step;
        if (modules[y]?.[x] !== undefined) continue;
        const isSet = (((bytes[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1) === 1;
        set(modules, x, y, isSet !== (MASKS[mask]?.(x, y) ?? false));
        bit += 1;
      }
    }
  }
}

/** The less, the better a camera reads it: long runs, blocks, what looks like a finder, too much of one colour. */
function penaltyOf(modules: readonly (readonly boolean[])[]): number {
  const rows = modules.map((row) => row.map((isDark) => (isDark ? '1' : '0')).join(''));
  const columns = modules.map((_, x) => rows.map((row) => row[x] ?? '').join(''));
  const dark = rows.join('').replaceAll('0', '').length;
  const share = dark / modules.length ** 2;
  return (
    [...rows, ...columns].reduce((sum, line) => sum + linePenalty(line), 0) +
    3 * blockCount(rows) +
    10 * Math.floor(Math.abs(share - 0.5) * 20)
  );
}

function linePenalty(line: string): number {
  const runs = line.match(/0{5,}|1{5,}/g) ?? [];
  const finders = line.match(/(?=10111010000|00001011101)/g) ?? [];
  return runs.reduce((sum, run) => sum + run.length - 2, 0) + finders.length * 40;
}

function blockCount(rows: readonly string[]): number {
  let blocks = 0;
  for (const [y, row] of rows.entries()) {
    const below = rows[y + 1] ?? '';
    for (let x = 0; x + 1 < below.length; x++) {
      const four = row.slice(x, x + 2) + below.slice(x, x + 2);
      if (four === '0000' || four === '1111') blocks += 1;
    }
  }
  return blocks;
}
