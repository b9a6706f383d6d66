/**
 * File names are bytes. A BytePath is a string with one character (U+0000–U+00FF) per byte: it compares in byte
 * order with `<`, costs one byte a character in V8, and survives names that are not UTF-8.
 */
declare const bytePath: unique symbol;
export type BytePath = string & { readonly [bytePath]: true };

/** Ordinary text (a path typed by a user, from config or the environment) as bytes. */
export function bytePathFromText(text: string): BytePath {
  return isAscii(text)
    ? asBytePath(text)
    : asBytePath(Buffer.from(text, 'utf8').toString('latin1'));
}

/** A string that already holds one byte per character (readdir with `latin1`, a decoded page). */
export function asBytePath(latin1: string): BytePath {
  return latin1 as BytePath;
}

export function joinBytes(parent: BytePath, name: BytePath): BytePath {
  if (parent === '') return name;
  return asBytePath(parent.endsWith('/') ? parent + name : `${parent}/${name}`);
}

export function baseNameBytes(path: BytePath): BytePath {
  return asBytePath(path.slice(path.lastIndexOf('/') + 1));
}

/** The directory part, without a trailing slash; '' at the top. */
export function dirNameBytes(path: BytePath): BytePath {
  const slash = path.lastIndexOf('/');
  return asBytePath(slash < 0 ? '' : path.slice(0, slash));
}

/** What `node:fs` takes: the string itself when ASCII (fast), else the raw bytes. */
export function toFsPath(path: BytePath): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, 'latin1');
}

/**
 * A name as text for screens and JSON, reversible: UTF-8 where it is valid; a backslash becomes `\\`, control
 * characters and bytes that are not UTF-8 become `\xHH`.
 */
export function showPath(path: BytePath): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (isAscii(path) && !/[\u0000-\u001f\u007f\\]/.test(path)) return path;
  const bytes = Buffer.from(path, 'latin1');
  let out = '';
  let at = 0;
  while (at < bytes.length) {
    const length = utf8Length(bytes, at);
    const code = bytes[at] ?? 0;
    if (length === 0 || code < 0x20 || code === 0x7f || isC1(bytes, at, length)) {
      out += hexEscape(code);
      at += 1;
    } else {
      out += code === 0x5c ? '\\\\' : bytes.toString('utf8', at, at + length);
      at += length;
    }
  }
  return out;
}

/** The reverse of `showPath`. */
export function parseShownPath(shown: string): BytePath {
  if (!shown.includes('\\')) return bytePathFromText(shown);
  const parts = shown.split(/(\\x[0-9a-f]{2}|\\\\)/);
  return asBytePath(
    parts
      .map((part) => {
        if (part === '\\\\') return '\\';
        if (/^\\x[0-9a-f]{2}$/.test(part)) return String.fromCharCode(parseInt(part.slice(2), 16));
        return bytePathFromText(part);
      })
      .join(''),
  );
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the whole ASCII range is meant
  return /^[\u0000-\u007f]*$/.test(text);
}

const hexEscape = (code: number): string => `\\x${code.toString(16).padStart(2, '0')}`;

/** C1 controls (U+0080–U+009F) can move a terminal's cursor. */
const isC1 = (bytes: Buffer, at: number, length: number): boolean =>
  length === 2 && bytes[at] === 0xc2 && (bytes[at + 1] ?? 0) < 0xa0;

/** Length in bytes of the valid UTF-8 sequence at `at`, or 0. */
function utf8Length(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || first >= 0xf5 || at + length > bytes.length) return 0;
  const text = bytes.toString('utf8', at, at + length);
  return Buffer.from(text, 'utf8').equals(bytes.subarray(at, at + length)) ? length : 0;
}
