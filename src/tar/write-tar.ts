/**
 * Entries and their content as a tar stream that GNU tar and bsdtar read: plain ustar where it suffices, a pax header
 * before an entry where it does not (long or foreign names, nanoseconds, large ids and sizes). tar-stream makes the
 * blocks; the pax records are ours, since names are bytes and it writes text.
 */
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack as tarPack } from 'tar-stream';
import type { Header, Pack } from 'tar-stream';
import { allEnded } from '../base/all-ended.ts';
import { asBytePath, joinBytes, showPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { assert, FerryError, messageOf, throwIfAborted } from '../base/errors.ts';
import { isOutOfSpace } from '../fs/out-of-space.ts';
import { encodePaxBlocks, encodePaxTime } from './pax.ts';
import type { TarEntry } from './tar-entry.ts';

export type TarItem = {
  /** The folder of the archive that the entry's path, and the target of a hard link, are below. */
  readonly under: BytePath;
  readonly entry: TarEntry;
  /** Of a file: exactly `size` bytes. A piece is asked for once all before it are written, or copied. */
  readonly content?: AsyncIterable<Uint8Array>;
  /** Travels with the entry where readers do not look; `readTar` gives it back. */
  readonly comment?: string;
};

export type TarTotals = { readonly files: number; readonly bytes: number };

/**
 * Writes and ends `output` (standard output stays open). What is in memory at a time is a piece of content and what
 * the streams hold on to.
 */
export async function writeTar(
  items: AsyncIterable<TarItem>,
  output: Writable,
  signal: AbortSignal,
): Promise<TarTotals> {
  const pack = tarPack();
  const outflow = new Outflow(output);
  try {
    // What the output says comes first; of what fails among the items it hears too.
    const [, totals] = await allEnded([
      pipeline(pack, (blocks) => outflow.pass(blocks), output, { signal }),
      addItems(pack, items, outflow, signal),
    ]);
    return totals;
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof FerryError) throw error;
    const code = isOutOfSpace(error) ? 'no-space' : 'file-write';
    const hint = 'Make room for the whole archive, or name another disk, and run the same again.';
    throw new FerryError(code, `cannot write the archive: ${messageOf(error)}`, {
      ...(code === 'no-space' && { hint }),
      cause: error,
    });
  }
}

async function addItems(
  pack: Pack,
  items: AsyncIterable<TarItem>,
  outflow: Outflow,
  signal: AbortSignal,
): Promise<TarTotals> {
  let files = 0;
  let bytes = 0;
  try {
    for await (const item of items) {
      throwIfAborted(signal);
      await addItem(pack, item, outflow);
      if (item.entry.type !== 'file') continue;
      files += 1;
      bytes += item.entry.size;
    }
    pack.finalize();
    return { files, bytes };
  } catch (error) {
    pack.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    throw error;
  }
}

async function addItem(pack: Pack, item: TarItem, outflow: Outflow): Promise<void> {
  const { headers, pax } = encodeHeaders(item);
  if (pax.size > 0) {
    const blocks = encodePaxBlocks(pax);
    await addBlocks(pack, { ...PAX_HEADERS, size: blocks.length });
    pack.push(blocks);
  }
  if (item.entry.type !== 'file') return addBlocks(pack, headers);
  assert(item.content, 'a file comes with its content');
  await addFile(pack, headers, item.content, outflow);
}

type Headers = Partial<Header> & Pick<Header, 'name'>;
type Sink = ReturnType<Pack['entry']>;

const PAX_HEADERS: Headers = {
  // tar-stream knows this type and writes it; its declarations do not name it.
  type: 'pax-header' as string as Header['type'],
  name: 'PaxHeader',
  mode: 0o644,
  mtime: new Date(0),
};

const addBlocks = (pack: Pack, headers: Headers): Promise<void> =>
  new Promise((resolve, reject) => {
    pack.entry(headers, (error) => (error ? reject(error) : resolve()));
  });

async function addFile(
  pack: Pack,
  headers: Headers,
  content: AsyncIterable<Uint8Array>,
  outflow: Outflow,
): Promise<void> {
  let sink: Sink | undefined;
  const written = new Promise<void>((resolve, reject) => {
    sink = pack.entry(headers, (error) => (error ? reject(error) : resolve()));
  });
  assert(sink, 'an entry can be written to');
  // The streams report a broken output here as well; what counts is thrown by whoever noticed first.
  sink.on('error', () => undefined);
  let isOver = false;
  let goOn = (): void => undefined;
  // Not a race with `written`, which would hold on to every piece of a file that was ever waited for.
  sink.on('drain', () => goOn());
  const end = (): void => {
    isOver = true;
    goOn();
    outflow.end();
  };
  written.then(end, end);
  for await (const piece of content) {
    if (isOver) break;
    if (outflow.tellsOf(piece)) {
      sink.write(piece);
      await outflow.written(piece);
    } else if (!sink.write(Buffer.from(piece))) {
      await new Promise<void>((resolve) => (goOn = resolve));
    }
  }
  sink.end(null);
  await written;
}

/** What passes from the archive to the output: tells when a piece is written, so that its memory may be used again. */
class Outflow {
  readonly #bytesHeld: number;
  #awaited: Uint8Array | undefined;
  #goOn = (): void => undefined;

  constructor({ writableHighWaterMark }: Writable) {
    // Nothing passes of a piece without bytes.
    this.#bytesHeld = Math.max(1, writableHighWaterMark);
  }

  /** Of a smaller piece the output asks for more before it is written. */
  tellsOf(piece: Uint8Array): boolean {
    return piece.length >= this.#bytesHeld;
  }

  /** Of a piece on its way; or nothing will pass any more. */
  written(piece: Uint8Array): Promise<void> {
    this.#awaited = piece;
    return new Promise((resolve) => (this.#goOn = resolve));
  }

  end(): void {
    this.#goOn();
  }

  /** A pipeline asks for the next when the output has drained, which is when all it holds is written. */
  async *pass(blocks: AsyncIterable<unknown>): AsyncGenerator<unknown, void> {
    for await (const block of blocks) {
      yield block;
      if (block === this.#awaited) this.#goOn();
    }
  }
}

type Encoded = { readonly headers: Headers; readonly pax: ReadonlyMap<string, string> };

function encodeHeaders({ under, entry, comment }: TarItem): Encoded {
  const pax = new Map<string, string>();
  const path = joinPath(under, entry.path);
  assert(path !== '', 'a member of an archive has a name');
  const name = entry.type === 'dir' ? `${path}/` : path;
  const target =
    entry.type === 'hardlink'
      ? joinPath(under, entry.target)
      : entry.type === 'symlink'
        ? entry.target
        : '';
  assert(entry.type === 'file' || entry.type === 'dir' || target !== '', 'a link has a target');
  const text = (key: string, value: string, bytesMax: number): string => {
    if (value.length <= bytesMax && isAscii(value)) return value;
    pax.set(key, value);
    return fallback(value, bytesMax);
  };
  const number = (key: string, value: number, max: number): number => {
    if (value > max) pax.set(key, String(value));
    return Math.min(value, max);
  };
  const headers: Headers = {
    name: text('path', name, LINK_BYTES),
    type: TYPES[entry.type],
    // The bit above the permissions is dropped when written; without it a mode of 0 would become 0644.
    mode: entry.mode | 0o10000,
    uid: number('uid', entry.uid, ID_MAX),
    gid: number('gid', entry.gid, ID_MAX),
    uname: text('uname', entry.owner, OWNER_BYTES),
    gname: text('gname', entry.group, OWNER_BYTES),
    mtime: mtimeOf(entry, pax),
    size: entry.type === 'file' ? entry.size : 0,
    ...(target === '' ? {} : { linkname: text('linkpath', target, LINK_BYTES) }),
  };
  // tar-stream writes a larger size in binary, which everyone reads too; the record is the standard's way.
  if (entry.type === 'file') number('size', entry.size, SIZE_MAX);
  if ([...pax.values()].some((value) => !isUtf8(value))) return binary(headers, pax, comment);
  return { headers, pax: withComment(pax, comment) };
}

/** The standard's word for "these names are bytes". GNU tar takes them as bytes anyway, and remarks on the word. */
const binary = (
  headers: Headers,
  pax: Map<string, string>,
  comment: string | undefined,
): Encoded => ({
  headers,
  pax: withComment(new Map([['hdrcharset', 'BINARY'], ...pax]), comment),
});

const withComment = (pax: Map<string, string>, comment: string | undefined): Map<string, string> =>
  comment === undefined
    ? pax
    : new Map([...pax, ['comment', Buffer.from(comment, 'utf8').toString('latin1')]]);

const TYPES = { dir: 'directory', file: 'file', symlink: 'symlink', hardlink: 'link' } as const;
const LINK_BYTES = 100;
/** One of the 32 ends the name. */
const OWNER_BYTES = 31;
/** Six octal digits are what tar-stream fills in. */
const ID_MAX = 0o777777;
const SIZE_MAX = 0o77777777777;
/** It cuts seconds to 32 bits. */
const SECONDS_MAX = 2n ** 31n - 1n;

function mtimeOf({ mtimeNs }: TarEntry, pax: Map<string, string>): Date {
  const seconds = mtimeNs / 1_000_000_000n;
  const fits = mtimeNs >= 0n && seconds <= SECONDS_MAX;
  if (!fits || mtimeNs % 1_000_000_000n !== 0n) pax.set('mtime', encodePaxTime(mtimeNs));
  return new Date(fits ? Number(seconds) * 1000 : 0);
}

function joinPath(under: BytePath, path: BytePath): BytePath {
  return path === '' ? under : joinBytes(under, path);
}

/** For readers that know no pax: something like the name. */
const fallback = (value: string, bytesMax: number): string => {
  const tail = value.endsWith('/') ? '/' : '';
  const ascii = showPath(asBytePath(value)).replaceAll(/[^\u0021-\u007e]/g, '_');
  return ascii.slice(0, bytesMax - 1).replace(/\/$/, '_') + tail;
};

const isAscii = (text: string): boolean => /^[\u0001-\u007f]*$/.test(text);

function isUtf8(bytes: string): boolean {
  if (isAscii(bytes)) return true;
  const buffer = Buffer.from(bytes, 'latin1');
  return Buffer.from(buffer.toString('utf8'), 'utf8').equals(buffer);
}
