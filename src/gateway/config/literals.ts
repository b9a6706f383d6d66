/**
 * Where the string values of a JSON5 or JSON text are, so that an edit replaces just one literal and leaves comments,
 * order and layout alone. Works on bytes, in one pass, without building values: a session index can be tens of MB.
 * It is exact on valid texts; what is valid is the parser's business.
 */
import { FerryError } from '../../base/errors.ts';

/** The literal under the cursor. Valid only during the visit. */
export type Literal = {
  /** Of the quotes: `bytes[start]` and `bytes[end - 1]`. */
  readonly start: number;
  readonly end: number;
  /** Keys and indexes above it: 2 for the `x` in `{a: {b: "x"}}`. */
  readonly depth: number;
  /** The key or index at one level, 0 for the outermost. */
  keyAt(level: number): string | number;
  path(): (string | number)[];
  value(): string;
};

/** Calls back for every string value (not for keys) in text order. */
export function visitStrings(bytes: Uint8Array, visit: (literal: Literal) => void): void {
  const scan: Scan = { bytes, at: 0, frames: [], expect: 'value' };
  for (;;) {
    scan.at = skipBlank(bytes, scan.at);
    if (scan.at >= bytes.length) break;
    if (scan.expect === 'key') readKey(scan);
    else if (scan.expect === 'after') readAfter(scan);
    else readValue(scan, visit);
  }
  if (scan.frames.length > 0 || scan.expect !== 'after') fail(scan, 'ends too early');
}

/** A literal edit: what stands between two byte positions becomes `to`, in the same kind of quotes. */
export type LiteralEdit = { readonly start: number; readonly end: number; readonly to: string };

/** The text with its edits (in text order, not overlapping) applied. */
export function editLiterals(bytes: Buffer, edits: readonly LiteralEdit[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const edit of edits) {
    parts.push(bytes.subarray(at, edit.start));
    parts.push(Buffer.from(quoteLike(bytes[edit.start] ?? DOUBLE, edit.to), 'utf8'));
    at = edit.end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

/** The line (from 1) of a position; asked in text order, so that a long text is counted once. */
export function lineCounter(bytes: Uint8Array): (position: number) => number {
  let line = 1;
  let at = 0;
  return (position) => {
    for (; at < position; at += 1) if (bytes[at] === LF) line += 1;
    return line;
  };
}

const DEPTH_MAX = 512;
const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SLASH = 0x2f;
const STAR = 0x2a;
const LF = 0x0a;
const CR = 0x0d;

type Frame = { readonly isArray: boolean; index: number; keyStart: number; keyEnd: number };
type Scan = {
  readonly bytes: Uint8Array;
  at: number;
  readonly frames: Frame[];
  /** `element` is a value or the end of an array. */
  expect: 'value' | 'element' | 'key' | 'after';
};

function readValue(scan: Scan, visit: (literal: Literal) => void): void {
  const { bytes, frames } = scan;
  const code = bytes[scan.at] ?? 0;
  if (code === CLOSE_BRACKET && scan.expect === 'element') return close(scan, true);
  if (code === OPEN_BRACE || code === OPEN_BRACKET) {
    if (frames.length >= DEPTH_MAX) fail(scan, 'is nested too deeply');
    frames.push({ isArray: code === OPEN_BRACKET, index: 0, keyStart: 0, keyEnd: 0 });
    scan.at += 1;
    scan.expect = code === OPEN_BRACE ? 'key' : 'element';
    return;
  }
  const start = scan.at;
  if (code === DOUBLE || code === SINGLE) {
    scan.at = endOfString(scan, code);
    visit(literalOf(scan, start, scan.at));
  } else {
    scan.at = endOfBare(bytes, start);
    if (scan.at === start) fail(scan, 'has an unexpected character');
  }
  scan.expect = 'after';
}

function readKey(scan: Scan): void {
  const { bytes } = scan;
  const frame = scan.frames.at(-1);
  const code = bytes[scan.at] ?? 0;
  if (code === CLOSE_BRACE) return close(scan, false);
  if (frame === undefined) fail(scan, 'has a key outside an object');
  frame.keyStart = scan.at;
  scan.at =
    code === DOUBLE || code === SINGLE ? endOfString(scan, code) : endOfBare(bytes, scan.at);
  frame.keyEnd = scan.at;
  if (frame.keyEnd === frame.keyStart) fail(scan, 'has an unexpected character');
  scan.at = skipBlank(bytes, scan.at);
  if (bytes[scan.at] !== COLON) fail(scan, 'lacks a colon');
  scan.at += 1;
  scan.expect = 'value';
}

function readAfter(scan: Scan): void {
  const frame = scan.frames.at(-1);
  const code = scan.bytes[scan.at] ?? 0;
  if (frame === undefined) fail(scan, 'goes on after its value');
  if (code === CLOSE_BRACE || code === CLOSE_BRACKET) return close(scan, code === CLOSE_BRACKET);
  if (code !== COMMA) fail(scan, 'lacks a comma');
  scan.at += 1;
  frame.index += 1;
  scan.expect = frame.isArray ? 'element' : 'key';
}

function close(scan: Scan, isArray: boolean): void {
  const frame = scan.frames.pop();
  if (frame === undefined || frame.isArray !== isArray) fail(scan, 'has a stray bracket');
  scan.at += 1;
  scan.expect = 'after';
}

function literalOf(scan: Scan, start: number, end: number): Literal {
  const { bytes, frames } = scan;
  const keyAt = (level: number): string | number => {
    const frame = frames[level];
    if (frame === undefined) return '';
    return frame.isArray ? frame.index : decodeText(bytes, frame.keyStart, frame.keyEnd);
  };
  return {
    start,
    end,
    depth: frames.length,
    keyAt,
    path: () => frames.map((_, level) => keyAt(level)),
    value: () => decodeText(bytes, start, end),
  };
}

/** The position behind the closing quote. */
function endOfString(scan: Scan, quote: number): number {
  const { bytes } = scan;
  for (let at = scan.at + 1; at < bytes.length; at += 1) {
    const code = bytes[at];
    if (code === BACKSLASH) at += 1;
    else if (code === quote) return at + 1;
  }
  return fail(scan, 'has a string without end');
}

/** Numbers, words and bare keys: up to white space, a comment or punctuation. */
function endOfBare(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && !isPunctuation(bytes[at] ?? 0) && skipBlank(bytes, at) === at)
    at += 1;
  return at;
}

function isPunctuation(code: number): boolean {
  return (
    code === COMMA ||
    code === COLON ||
    code === DOUBLE ||
    code === SINGLE ||
    code === OPEN_BRACE ||
    code === CLOSE_BRACE ||
    code === OPEN_BRACKET ||
    code === CLOSE_BRACKET
  );
}

/** Over white space and comments, as JSON5 has them. */
function skipBlank(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const code = bytes[at] ?? 0;
    if (code === 0x20 || (code >= 0x09 && code <= CR && at < bytes.length)) at += 1;
    else if (code === SLASH && bytes[at + 1] === SLASH) at = endOfLine(bytes, at);
    else if (code === SLASH && bytes[at + 1] === STAR) at = endOfComment(bytes, at);
    else if (code >= 0x80) {
      const length = wideSpaceLength(bytes, at);
      if (length === 0) return at;
      at += length;
    } else return at;
  }
}

function endOfLine(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR && !isLineSeparator(bytes, at)) {
    at += 1;
  }
  return at;
}

function endOfComment(bytes: Uint8Array, from: number): number {
  let at = from + 2;
  while (at < bytes.length && !(bytes[at] === STAR && bytes[at + 1] === SLASH)) at += 1;
  return at + 2;
}

/** U+2028 and U+2029. */
const isLineSeparator = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0xe2 &&
  bytes[at + 1] === 0x80 &&
  (bytes[at + 2] === 0xa8 || bytes[at + 2] === 0xa9);

/** Bytes of the white space beyond ASCII that begins here (U+00A0, U+FEFF, the Zs class, line separators), or 0. */
function wideSpaceLength(bytes: Uint8Array, at: number): number {
  const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3);
  if (first === 0xc2) return second === 0xa0 ? 2 : 0;
  const code = first * 0x10000 + second * 0x100 + third;
  if (code === 0xefbbbf || code === 0xe19a80 || code === 0xe38080) return 3;
  if (code >= 0xe28080 && code <= 0xe2808a) return 3;
  return [0xe280a8, 0xe280a9, 0xe280af, 0xe2819f].includes(code) ? 3 : 0;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '0': '\0',
  '\n': '',
  '\r': '',
  '\r\n': '',
  '\u2028': '',
  '\u2029': '',
};

/** The text of a string literal or a bare key. */
function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const quoted = bytes[start] === DOUBLE || bytes[start] === SINGLE;
  const from = quoted ? start + 1 : start;
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + from, (quoted ? end - 1 : end) - from);
  const text = raw.toString('utf8');
  if (!text.includes('\\')) return text;
  return text.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[^]))/gu,
    (_, wide: string | undefined, narrow: string | undefined, simple: string | undefined) => {
      const hex = wide ?? narrow;
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return SIMPLE_ESCAPES[simple ?? ''] ?? simple ?? '';
    },
  );
}

function quoteLike(quote: number, text: string): string {
  const double = JSON.stringify(text)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
  if (quote !== SINGLE) return double;
  const inner = double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}

function fail(scan: Scan, what: string): never {
  let line = 1;
  for (let at = 0; at < scan.at; at += 1) if (scan.bytes[at] === LF) line += 1;
  throw new FerryError('file-unreadable', `the text ${what} (line ${line})`);
}
