/**
 * Writing restored entries inside a stage directory, blocking, for worker threads. Nothing outside it is ever
 * written: paths are checked, parents are proven real directories, and no last component is followed.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirNameBytes, showPath, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError, messageOf, systemCode } from '../base/errors.ts';
import { isOutOfSpace, outOfSpace } from './out-of-space.ts';
import { openFiles } from './open-files.ts';
import { readChunks, type ChunkReading } from './read-chunks.ts';
import { checkLinkTarget } from './safe-path.ts';
import { stageParents, unsafe } from './stage-parents.ts';

export type PlaceOptions = {
  /** Absolute; made with mode 0700 when missing; its parent is trusted. */
  readonly stage: BytePath;
  /** Where it is reached, if not by its name. */
  readonly at?: BytePath;
  /** Root asked for it: keep setuid and setgid on files. */
  readonly setIdAllowed: boolean;
  readonly openFilesMax?: number;
};

export type PlaceAttributes = {
  readonly mode: number;
  /** Only root can give files away; the caller decides who to. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
};

/** Times are not set here but in one batch at the end (`setTimes`), before the modes of the directories. */
export type Placer = {
  /** Makes a directory, 0700 until `finishDirectory`. */
  readonly placeDirectory: (path: BytePath) => void;
  /** A whole small file. What a killed run left in its place is replaced. */
  readonly placeFile: (path: BytePath, bytes: Uint8Array, attributes: PlaceAttributes) => void;
  /** Before the first `writeChunk` of a file that starts anew: an empty file, whatever was there. */
  readonly beginFile: (path: BytePath) => void;
  /** Several threads may write chunks of one file. `holes`: leave zeros out; only for a file that was begun anew. */
  readonly writeChunk: (
    path: BytePath,
    position: number,
    bytes: Uint8Array,
    holes: boolean,
  ) => void;
  /** After all chunks of a file are written, by one thread. */
  readonly finishFile: (path: BytePath, size: number, attributes: PlaceAttributes) => void;
  readonly placeSymlink: (
    path: BytePath,
    target: BytePath,
    owner: PlaceAttributes['owner'],
  ) => void;
  /** `existing` is another path inside the stage. */
  readonly placeHardLink: (path: BytePath, existing: BytePath) => void;
  /** Last of all, deepest first: a directory may forbid its owner to write. '' is the stage itself. */
  readonly finishDirectory: (path: BytePath, attributes: PlaceAttributes) => void;
  /**
   * Reads what an earlier run left of a file, at most `size` bytes, in pieces of `chunkBytes`, for the caller to
   * hash. Returns how many bytes there are; 0 also when it is no plain file of ours.
   */
  readonly readExisting: (path: BytePath, size: number, reading: ChunkReading) => number;
  /** Whether an earlier run left anything at this place. */
  readonly isThere: (path: BytePath) => boolean;
  /** Takes back a file that cannot be completed; nothing happens when it is not there. */
  readonly removeFile: (path: BytePath) => void;
  /** Closes the files still open; they are not synced (see `syncTree`). */
  readonly close: () => void;
};

export function createPlacer(options: PlaceOptions): Placer {
  const folder = options.at ?? options.stage;
  const parents = inStage(options.stage, options.stage, () => stageParents(folder));
  const files = openFiles(options.openFilesMax ?? OPEN_FILES_MAX, (path) =>
    openForChunks(parents.reach(path), path),
  );
  const at = <T>(path: BytePath, work: () => T): T => inStage(options.stage, path, work);
  return {
    placeDirectory: (path) => at(path, () => void parents.directory(path)),
    placeFile: (path, bytes, attributes) =>
      at(path, () => {
        const fd = createFile(parents.reach(path), path);
        try {
          writeFully(fd, bytes, 0);
          applyToFile(fd, attributes, options);
        } finally {
          closeSync(fd);
        }
      }),
    beginFile: (path) =>
      at(path, () => {
        files.forget(path);
        closeSync(createFile(parents.reach(path), path));
      }),
    writeChunk: (path, position, bytes, holes) =>
      at(path, () => {
        if (holes && isAllZero(bytes)) return;
        writeFully(files.get(path), bytes, position);
      }),
    finishFile: (path, size, attributes) =>
      at(path, () => {
        const fd = files.get(path);
        ftruncateSync(fd, size);
        applyToFile(fd, attributes, options);
        files.forget(path);
      }),
    placeSymlink: (path, target, owner) =>
      at(path, () => placeSymlink(parents.reach(path), path, target, owner)),
    placeHardLink: (path, existing) =>
      at(path, () => placeHardLink(parents.reach(path), parents.reach(existing), path)),
    finishDirectory: (path, attributes) =>
      at(path, () => applyToDirectory(parents.directory(path), attributes)),
    readExisting: (path, size, reading) =>
      at(path, () => readExisting(parents.reach(path), size, reading)),
    isThere: (path) =>
      at(path, () => {
        const full = toFsPath(parents.reach(path));
        if (parents.isNew(dirNameBytes(path))) return false;
        return lstatSync(full, { throwIfNoEntry: false }) !== undefined;
      }),
    removeFile: (path) =>
      at(path, () => {
        files.forget(path);
        makeRoom(parents.reach(path), path);
      }),
    close: () => files.closeAll(),
  };
}

const OPEN_FILES_MAX = 16;
/** Until the real mode is set. */
const FILE_MODE = 0o600;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const REOPEN = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Gives a failed system call its meaning: the stage's disk is full, or this file cannot be written. */
function inStage<T>(stage: BytePath, path: BytePath, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FerryError || systemCode(error) === undefined) throw error;
    if (isOutOfSpace(error)) throw outOfSpace(stage, error);
    throw new FerryError('file-write', `cannot write ${showPath(path)}: ${messageOf(error)}`, {
      details: { path: showPath(path), code: systemCode(error) ?? '' },
      cause: error,
    });
  }
}

function createFile(full: BytePath, path: BytePath): number {
  const fsPath = toFsPath(full);
  try {
    return openSync(fsPath, CREATE, FILE_MODE);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  makeRoom(full, path);
  return openSync(fsPath, CREATE, FILE_MODE);
}

/** Removes what an earlier run put there. Never a directory: in one snapshot a path is one thing. */
function makeRoom(full: BytePath, path: BytePath): void {
  const there = lstatSync(toFsPath(full), { throwIfNoEntry: false });
  if (there?.isDirectory() === true) throw unsafe(path, 'a directory is in its place');
  if (there) unlinkSync(toFsPath(full));
}

function openForChunks(full: BytePath, path: BytePath): number {
  let fd: number;
  try {
    fd = openSync(toFsPath(full), REOPEN, FILE_MODE);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ELOOP') throw unsafe(path, 'a link is in its place');
    if (code !== 'EACCES' || !lstatSync(toFsPath(full)).isFile()) throw error;
    // An earlier run finished it as read-only.
    chmodSync(toFsPath(full), FILE_MODE);
    fd = openSync(toFsPath(full), REOPEN, FILE_MODE);
  }
  const stat = fstatSync(fd);
  if (stat.isFile() && stat.nlink === 1) return fd;
  closeSync(fd);
  throw unsafe(path, 'something else is in its place');
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

/** The owner first: giving a file away clears setuid and setgid. */
function applyToFile(fd: number, { mode, owner }: PlaceAttributes, options: PlaceOptions): void {
  if (owner) fchownSync(fd, owner.uid, owner.gid);
  const kept = options.setIdAllowed ? mode & 0o7777 : mode & 0o1777;
  if (kept !== FILE_MODE) fchmodSync(fd, kept);
}

/** Setgid on a directory only says which group new files get; setuid means nothing there. */
function applyToDirectory(full: BytePath, { mode, owner }: PlaceAttributes): void {
  if (owner) lchownSync(toFsPath(full), owner.uid, owner.gid);
  chmodSync(toFsPath(full), mode & 0o3777);
}

function placeSymlink(
  full: BytePath,
  path: BytePath,
  target: BytePath,
  owner: PlaceAttributes['owner'],
): void {
  const reason = checkLinkTarget(target);
  if (reason !== undefined) throw unsafe(path, reason);
  try {
    symlinkSync(toFsPath(target), toFsPath(full));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    makeRoom(full, path);
    symlinkSync(toFsPath(target), toFsPath(full));
  }
  if (owner) lchownSync(toFsPath(full), owner.uid, owner.gid);
}

function placeHardLink(full: BytePath, existing: BytePath, path: BytePath): void {
  if (!lstatSync(toFsPath(existing)).isFile()) throw unsafe(path, 'a hard link to no plain file');
  try {
    linkSync(toFsPath(existing), toFsPath(full));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    makeRoom(full, path);
    linkSync(toFsPath(existing), toFsPath(full));
  }
}

function readExisting(full: BytePath, size: number, reading: ChunkReading): number {
  const fd = openExisting(full);
  if (fd === undefined) return 0;
  try {
    return readChunks(fd, size, reading);
  } finally {
    closeSync(fd);
  }
}

const NOT_OURS = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'EACCES']);

function openExisting(full: BytePath): number | undefined {
  let fd: number;
  try {
    fd = openSync(toFsPath(full), READ);
  } catch (error) {
    const code = systemCode(error);
    if (code !== undefined && NOT_OURS.has(code)) return undefined;
    throw error;
  }
  const stat = fstatSync(fd);
  if (stat.isFile() && stat.nlink === 1) return fd;
  closeSync(fd);
  return undefined;
}

/** `memcmp` against zeros; the first bytes decide for almost everything. */
export function isAllZero(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return true;
  if (bytes[0] !== 0 || bytes[bytes.length - 1] !== 0) return false;
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const length = Math.min(ZEROS.length, bytes.length - at);
    if (ZEROS.compare(bytes, at, at + length, 0, length) !== 0) return false;
  }
  return true;
}

const ZEROS = Buffer.alloc(64 * 1024);
