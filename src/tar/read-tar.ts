/**
 * The members of a tar archive, streamed: what GNU tar (all its formats), bsdtar and we ourselves write, compressed
 * with gzip or zstd or not at all. An archive is a stranger's input: nothing of it is trusted, and a name that is
 * not relative, or a device, ends the reading.
 */
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract as tarExtract } from 'tar-stream';
import type { ExtractEvents, Header } from 'tar-stream';
import { asBytePath, showPath, type BytePath } from '../base/byte-path.ts';
import { assert, FerryError, messageOf, systemCode, throwIfAborted } from '../base/errors.ts';
import type { EntryBase } from '../format/entry.ts';
import { checkEntryPath, checkLinkTarget } from '../fs/safe-path.ts';
import { plainTar } from './decompress.ts';
import { decodePaxTime, type PaxRecords } from './pax.ts';
import { rawHeaders, type RawHeaders, type RawMember } from './raw-headers.ts';
import { sparseOf, sparsePieces, type Piece } from './sparse.ts';
import type { TarEntry } from './tar-entry.ts';

export type TarMember = {
  readonly entry: TarEntry;
  /** Of a file, in order, to be read before the next member; what is left is skipped. */
  readonly content: () => AsyncGenerator<Piece, void>;
  /** Holes need not be filled in. */
  readonly sparse: boolean;
  readonly comment: string | undefined;
};

/** Something of the archive that no snapshot holds. */
export type TarOmission = { readonly path: string; readonly reason: string };

export type TarSource = {
  /** For messages: the archive's file name. */
  readonly what: string;
  readonly content: AsyncIterable<Uint8Array>;
};

/** @throws object-damaged, target-unsafe */
export async function* readTar(
  source: TarSource,
  onOmission: (omission: TarOmission) => void,
  signal: AbortSignal,
): AsyncGenerator<TarMember, void> {
  const { what } = source;
  const raw = rawHeaders(what);
  const extract = tarExtract(EXTRACT_OPTIONS);
  const pumped = pipeline(plainTar(source.content, what), tap(raw), extract, { signal });
  // The iteration below fails with the same error, or it is awaited at the end.
  pumped.catch(() => undefined);
  let members = 0;
  try {
    for await (const stream of extract) {
      throwIfAborted(signal);
      members += 1;
      if (members > MEMBERS_MAX) throw refuse(what, `more than ${MEMBERS_MAX} members`);
      const member = memberOf(stream, raw, what, onOmission);
      if (member) yield member;
      stream.resume();
    }
    await pumped;
    raw.finish();
  } catch (error) {
    throwIfAborted(signal);
    throw asArchiveError(error, what);
  } finally {
    extract.destroy();
  }
}

/** Names as bytes, and the oldest format, which has no magic number: both are missing in its declarations. */
const EXTRACT_OPTIONS = {
  highWaterMark: 64 * 1024,
  filenameEncoding: 'latin1',
  allowUnknownFormat: true,
};
type TarStream = ExtractEvents['entry'][1];

/** Two orders of magnitude above the largest install seen. */
const MEMBERS_MAX = 20_000_000;

function tap(raw: RawHeaders): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      try {
        raw.keep(piece);
        done(null, piece);
      } catch (error) {
        done(error instanceof Error ? error : new Error(messageOf(error)));
      }
    },
  });
}

const READING: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** tar-stream says "corrupted" and zlib has codes; reading the archive's own file has a system code. */
function asArchiveError(error: unknown, what: string): unknown {
  if (error instanceof FerryError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new FerryError('interrupted', 'interrupted', { cause: error });
  }
  const code = systemCode(error);
  const why = messageOf(error);
  if (code !== undefined && !code.startsWith('Z_') && !code.startsWith('ERR_')) {
    return new FerryError('file-unreadable', `cannot read ${what}: ${READING[code] ?? why}`, {
      hint: 'Check the name of the archive, and whether you may read it.',
      cause: error,
    });
  }
  return new FerryError('object-damaged', `${what} is not a whole tar archive: ${why}`, {
    hint: 'Copy it again from the old machine and compare the sizes.',
    cause: error,
  });
}

const refuse = (what: string, why: string): FerryError =>
  new FerryError('target-unsafe', `${what} is refused: ${why}`);

function memberOf(
  stream: TarStream,
  raw: RawHeaders,
  what: string,
  onOmission: (omission: TarOmission) => void,
): TarMember | undefined {
  const { header } = stream;
  const contentBytes = header.type === 'directory' ? 0 : (header.size ?? 0);
  const about = raw.member(offsetOf(header), contentBytes);
  const { pax, typeFlag } = about;
  if (!/^\d{1,15}$/.test(pax.get('size') ?? '0')) throw wrongSize(what);
  const sparse = sparseOf(pax, typeFlag, what);
  const path = archivePath(sparse?.path ?? pax.get('path') ?? header.name, what);
  const base = baseOf(header, pax, path);
  const member = (entry: TarEntry, content: TarMember['content']): TarMember => {
    // Blanks are what fills up a block.
    const comment = Buffer.from(pax.get('comment') ?? '', 'latin1')
      .toString('utf8')
      .trim();
    const sparseFile = sparse !== undefined;
    return { entry, content, sparse: sparseFile, comment: comment === '' ? undefined : comment };
  };
  switch (header.type) {
    case 'file':
    case 'contiguous-file': {
      const size = sparse?.size ?? contentBytes;
      const pieces = (): AsyncGenerator<Piece, void> =>
        sparse ? sparsePieces(bytesOf(stream, what), size, what) : placed(bytesOf(stream, what));
      return member({ ...base, type: 'file', size }, pieces);
    }
    case 'directory':
      return member({ ...base, type: 'dir' }, nothing);
    case 'symlink': {
      const target = asBytePath(pax.get('linkpath') ?? header.linkname ?? '');
      const why = checkLinkTarget(target);
      if (why !== undefined) throw refuse(what, `${showPath(path)}: ${why}`);
      return member({ ...base, type: 'symlink', target }, nothing);
    }
    case 'link': {
      const target = archivePath(pax.get('linkpath') ?? header.linkname ?? '', what);
      return member({ ...base, type: 'hardlink', target }, nothing);
    }
    case 'fifo':
      onOmission({ path: showPath(path), reason: 'named pipe' });
      return undefined;
    case 'character-device':
    case 'block-device':
      throw refuse(what, `${showPath(path)} is a device`);
    default:
      return other(about, what);
  }
}

/** Volume labels mean nothing here; a type that nobody knows may be content that would be missed. */
function other({ typeFlag }: RawMember, what: string): undefined {
  if (typeFlag === 'V') return undefined;
  throw new FerryError('object-damaged', `${what} holds a member of the unknown type ${typeFlag}`, {
    hint: 'Make the archive again with plain tar -czf.',
  });
}

/** tar-stream takes what it can of a number; what it took instead would be somebody's guess. */
const wrongSize = (what: string): FerryError =>
  new FerryError('object-damaged', `${what} is damaged: it says a size that is none`);

/** Where tar-stream says that the content of a member begins. */
function offsetOf(header: Header): number {
  const offset = 'byteOffset' in header ? header.byteOffset : undefined;
  assert(typeof offset === 'number', 'tar-stream says where a member lies');
  return offset;
}

/** A name in an archive without what means nothing: `./`, doubled slashes, a slash at the end. '' is the top. */
function archivePath(name: string, what: string): BytePath {
  const parts = name
    .split('/')
    .filter((part, index) => part !== '.' && (part !== '' || index === 0));
  // An absolute name keeps its first, empty part.
  const path = asBytePath(parts.join('/'));
  if (path === '' && !name.startsWith('/') && name !== '') return path;
  const why = checkEntryPath(path);
  if (why === undefined) return path;
  const hint = name.startsWith('/') ? { hint: 'Make the archive again without tar’s -P.' } : {};
  const message = `${what} is refused: ${showPath(asBytePath(name.slice(0, 300)))}: ${why}`;
  throw new FerryError('target-unsafe', message, hint);
}

function baseOf(header: Header, pax: PaxRecords, path: BytePath): EntryBase {
  const number = (key: string, fallback: number | undefined): number => {
    const value = Number(pax.get(key) ?? fallback);
    return Number.isInteger(value) && value >= 0 && value <= ID_MAX ? value : 0;
  };
  const name = (key: string, fallback: string | undefined): string =>
    (pax.get(key) ?? Buffer.from(fallback ?? '', 'utf8').toString('latin1')).slice(0, 255);
  const headerMs = header.mtime?.getTime() ?? 0;
  const headerNs = Number.isFinite(headerMs) ? BigInt(headerMs) * 1_000_000n : 0n;
  return {
    path,
    mode: (header.mode ?? 0o600) & 0o7777,
    uid: number('uid', header.uid),
    gid: number('gid', header.gid),
    owner: name('uname', header.uname),
    group: name('gname', header.gname),
    mtimeNs: decodePaxTime(pax.get('mtime') ?? '') ?? headerNs,
  };
}

const ID_MAX = 0xffff_fffe;

/** The content of a member. An archive that ends in the middle of it shows here. */
async function* bytesOf(
  stream: AsyncIterable<unknown>,
  what: string,
): AsyncGenerator<Buffer, void> {
  try {
    // Its declarations do not say what comes out.
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    throw asArchiveError(error, what);
  }
}

async function* placed(content: AsyncIterable<Buffer>): AsyncGenerator<Piece, void> {
  let position = 0;
  for await (const piece of content) {
    yield { position, bytes: piece };
    position += piece.length;
  }
}

async function* nothing(): AsyncGenerator<Piece, void> {}
