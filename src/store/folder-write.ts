import { randomBytes } from 'node:crypto';
import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DAY_MS } from '../base/durations.ts';
import { FerryError, systemCode, throwIfAborted } from '../base/errors.ts';
import { folderMissing } from './folder-errors.ts';
import type { PutAnswer } from './object-store.ts';

/** Starts with a dot, which no object name does, so a leftover of a killed process is never taken for an object. */
export const TEMPORARY_PREFIX = '.tmp-';

const WRITE_BYTES_MAX = 4 * 1024 * 1024;
const LEFTOVER_AGE_MS = DAY_MS;
/** What file systems without hard links answer: FAT and exFAT EPERM, some network shares the others. */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES']);

export type LinkFile = (existing: string, created: string) => Promise<void>;
export const linkFile: LinkFile = link;

/** The file's path below `root`; its bytes, complete and durable, or nothing at all. */
export async function replaceFile(
  root: string,
  path: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<PutAnswer> {
  const temporary = await writeTemporary(root, dirname(path), body, signal);
  try {
    await rename(temporary.path, path);
  } catch (error) {
    await removeQuietly(temporary.path);
    throw error;
  }
  await syncFolder(dirname(path));
  return { outcome: 'stored', dateMs: temporary.modifiedMs };
}

/** As `replaceFile`, but a file that is there already stays as it is. */
export async function createFile(
  root: string,
  path: string,
  body: Uint8Array,
  makeLink: LinkFile,
  signal: AbortSignal,
): Promise<PutAnswer> {
  const temporary = await writeTemporary(root, dirname(path), body, signal);
  const dateMs = temporary.modifiedMs;
  try {
    const outcome = await linkOrClaim(temporary.path, path, body, makeLink);
    await syncFolder(dirname(path));
    return { outcome, dateMs };
  } finally {
    await removeQuietly(temporary.path);
  }
}

async function linkOrClaim(
  temporary: string,
  path: string,
  body: Uint8Array,
  makeLink: LinkFile,
): Promise<PutAnswer['outcome']> {
  try {
    await makeLink(temporary, path);
    return 'stored';
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EEXIST') return 'exists';
    if (!NO_HARD_LINKS.has(code)) throw error;
  }
  return claimAndRename(temporary, path, body);
}

/**
 * Without hard links the exclusive creation of an empty file decides the race, and the rename over it brings the
 * content in one step. Network shares have been seen to let two creators win, hence the reading back. A kill in
 * between leaves an empty file, which no reader takes for an object of ours.
 */
async function claimAndRename(
  temporary: string,
  path: string,
  body: Uint8Array,
): Promise<PutAnswer['outcome']> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return 'exists';
    throw error;
  }
  try {
    await rename(temporary, path);
  } catch (error) {
    await removeQuietly(path);
    throw error;
  }
  const file = await open(path, 'r');
  try {
    return (await holds(file, body)) ? 'stored' : 'exists';
  } finally {
    await file.close();
  }
}

async function holds(file: FileHandle, body: Uint8Array): Promise<boolean> {
  if ((await file.stat()).size !== body.length) return false;
  const piece = Buffer.allocUnsafe(Math.min(body.length, 1024 * 1024));
  for (let at = 0; at < body.length;) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return false;
    if (!piece.subarray(0, bytesRead).equals(body.subarray(at, at + bytesRead))) return false;
    at += bytesRead;
  }
  return true;
}

/** A new file beside the target, written and synced; its mtime is the folder's own clock. */
export async function writeTemporary(
  root: string,
  folder: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<{ path: string; modifiedMs: number }> {
  const path = join(folder, TEMPORARY_PREFIX + randomBytes(12).toString('hex'));
  const file = await openIn(root, folder, path);
  try {
    for (let at = 0; at < body.length;) {
      throwIfAborted(signal);
      const { bytesWritten } = await file.write(
        body,
        at,
        Math.min(WRITE_BYTES_MAX, body.length - at),
        at,
      );
      at += bytesWritten;
    }
    await file.sync();
    const modifiedMs = Math.floor((await file.stat()).mtimeMs);
    await file.close();
    throwIfAborted(signal);
    return { path, modifiedMs };
  } catch (error) {
    await file.close().catch(() => {}); // the first error is the one that counts
    await removeQuietly(path);
    throw error;
  }
}

async function openIn(root: string, folder: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await makeFolders(root, folder);
    return open(path, 'wx', 0o600);
  }
}

/** Makes what is missing below the root, never the root: a share that is not mounted must not fill the local disk. */
async function makeFolders(root: string, folder: string): Promise<void> {
  if (folder === root) throw folderMissing(root);
  const parent = dirname(folder);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT') throw error;
    await makeFolders(root, parent);
    await mkdir(folder, { mode: 0o700 }).catch(ignore('EEXIST'));
  }
  await syncFolder(parent);
}

/** Leftovers of killed processes, told by the folder's own clock; only those that nobody can still be writing. */
export async function removeLeftovers(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const path = join(folder, name);
    const info = await lstat(path).catch(ignore('ENOENT'));
    if (info && info.mtimeMs < nowMs - LEFTOVER_AGE_MS) await removeQuietly(path);
  }
}

/** Makes a rename or an unlink durable. Some network file systems cannot, and say EINVAL or the like. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EBADF'].includes(systemCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** For cleaning up: what cannot be removed is a leftover, which nothing takes for an object. */
async function removeQuietly(path: string): Promise<void> {
  await unlink(path).catch(() => {});
}

const ignore =
  (code: string) =>
  (error: unknown): undefined => {
    if (error instanceof FerryError || systemCode(error) !== code) throw error;
    return undefined;
  };
