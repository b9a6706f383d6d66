import { constants } from 'node:fs';
import { lstat, mkdir, open, opendir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FerryError, systemCode, throwIfAborted } from '../base/errors.ts';
import { folderError, folderMissing } from './folder-errors.ts';
import {
  createFile,
  linkFile,
  removeLeftovers,
  replaceFile,
  syncFolder,
  writeTemporary,
  type LinkFile,
} from './folder-write.ts';
import { assertName, assertPrefix, isObjectName, isSegment } from './names.ts';
import type { ListedObject, ObjectStore, RequestCounts } from './object-store.ts';
import { cutRange, noCounts, tooLong } from './ranges.ts';

const READ_BYTES_MAX = 4 * 1024 * 1024;
/** Never follow a planted link, never wait for the other end of a planted FIFO. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export type FolderStoreOptions = {
  /**
   * Make the folder (0700) when it is missing; otherwise a missing one is `repository-missing`. What it lies in must
   * be there, since it may be a disk that is not connected.
   */
  readonly createRoot?: boolean | undefined;
  /** Stands in for link(2), so that a test can be a file system without hard links. */
  readonly link?: LinkFile;
};

/** Objects as files below a folder: a disk, a stick, a network share. Durable when a put has answered. */
export async function openFolderStore(
  folder: string,
  options: FolderStoreOptions = {},
): Promise<ObjectStore> {
  const root = resolve(folder);
  if (options.createRoot === true) await makeRoot(root);
  return folderStore({
    root,
    counts: noCounts(),
    tidied: new Set(),
    link: options.link ?? linkFile,
  });
}

async function makeRoot(root: string): Promise<void> {
  try {
    await mkdir(root, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    if (systemCode(error) === 'ENOENT') throw folderMissing(dirname(root), error);
    throw folderError(error, root, 'make the folder');
  }
}

type Folder = {
  readonly root: string;
  readonly counts: RequestCounts;
  /** Folders whose leftovers this process has looked for. */
  readonly tidied: Set<string>;
  readonly link: LinkFile;
};

function folderStore(folder: Folder): ObjectStore {
  const { root, counts } = folder;
  const pathOf = (name: string): string => join(root, name);

  return {
    location: root,
    async put(name, body, options, signal) {
      return attempt(folder, 'put', name, signal, async () => {
        const path = pathOf(name);
        const answer = await (options.createOnly === true
          ? createFile(root, path, body, folder.link, signal)
          : replaceFile(root, path, body, signal));
        await tidyOnce(folder, dirname(path), answer.dateMs);
        return answer;
      });
    },
    async get(name, range, signal) {
      return attempt(folder, 'get', name, signal, () =>
        withFile(folder, name, async (file, size) => {
          const { start, end } = cutRange(name, range, size);
          const bytes = Buffer.allocUnsafeSlow(end - start);
          await readFully(file, name, start, bytes, signal);
          return { bytes, dateMs: undefined };
        }),
      );
    },
    async getInto(name, range, into, signal) {
      return attempt(folder, 'get', name, signal, () =>
        withFile(folder, name, async (file, size) => {
          const { start, end } = cutRange(name, range, size);
          if (end - start > into.length) throw tooLong(name, end - start, into.length);
          await readFully(file, name, start, into.subarray(0, end - start), signal);
          return { length: end - start, dateMs: undefined };
        }),
      );
    },
    async stat(name, signal) {
      return attempt(folder, 'head', name, signal, () =>
        withFile(folder, name, async (_file, size) => ({ size, dateMs: undefined })),
      );
    },
    list: (prefix, signal) => listFolder(folder, prefix, signal),
    async delete(name, signal) {
      return attempt(folder, 'delete', name, signal, () => remove(folder, pathOf(name)));
    },
    async dateMs(signal) {
      try {
        const temporary = await writeTemporary(root, root, Buffer.of(0), signal);
        await unlink(temporary.path);
        return temporary.modifiedMs;
      } catch (error) {
        throw folderError(error, root, 'read the clock');
      }
    },
    counts: () => ({ ...counts }),
    close: async () => {},
  };
}

async function attempt<T>(
  folder: Folder,
  kind: keyof RequestCounts,
  name: string,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  assertName(name);
  throwIfAborted(signal);
  folder.counts[kind] += 1;
  try {
    return await action();
  } catch (error) {
    throw folderError(error, folder.root, `${kind === 'head' ? 'stat' : kind} ${name}`);
  }
}

/** Opens an object's file and hands it over with its size; undefined when the object is absent. */
async function withFile<T>(
  folder: Folder,
  name: string,
  use: (file: FileHandle, size: number) => Promise<T>,
): Promise<T | undefined> {
  let file: FileHandle;
  try {
    file = await open(join(folder.root, name), READ_FLAGS);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ELOOP') throw notPlain(name);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    await assertRootThere(folder.root);
    return undefined;
  }
  try {
    const info = await file.stat();
    if (info.isDirectory()) return undefined; // a prefix of other names, as a bucket would see it
    if (!info.isFile()) throw notPlain(name);
    return await use(file, info.size);
  } finally {
    await file.close();
  }
}

async function readFully(
  file: FileHandle,
  name: string,
  start: number,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < into.length;) {
    throwIfAborted(signal);
    const lengthMax = Math.min(READ_BYTES_MAX, into.length - at);
    const { bytesRead } = await file.read(into, at, lengthMax, start + at);
    if (bytesRead === 0) {
      throw new FerryError('object-damaged', `${name} became shorter while it was read`);
    }
    at += bytesRead;
  }
}

async function* listFolder(
  folder: Folder,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  assertPrefix(prefix);
  throwIfAborted(signal);
  folder.counts.list += 1;
  await assertRootThere(folder.root);
  const pending = [prefix];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const entry of await entriesOf(folder.root, at)) {
      throwIfAborted(signal);
      if (!isObjectName(at + entry.name)) continue;
      if (entry.isFolder) pending.push(`${at}${entry.name}/`);
      else {
        const listed = await describe(folder.root, at + entry.name);
        if (listed) yield listed;
      }
    }
  }
}

/** Read whole before anything is yielded, so that what a slow consumer deletes or adds cannot disturb the reading. */
async function entriesOf(
  root: string,
  prefix: string,
): Promise<{ name: string; isFolder: boolean }[]> {
  const entries: { name: string; isFolder: boolean }[] = [];
  try {
    for await (const entry of await opendir(join(root, prefix), { bufferSize: 256 })) {
      if (!isSegment(entry.name)) continue;
      if (entry.isFile() || entry.isDirectory()) {
        entries.push({ name: entry.name, isFolder: entry.isDirectory() });
      }
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw folderError(error, root, `list ${prefix}`);
  }
  return entries;
}

async function describe(root: string, name: string): Promise<ListedObject | undefined> {
  try {
    const info = await lstat(join(root, name));
    const modifiedMs = Math.floor(info.mtimeMs);
    return { name, size: info.size, modifiedMs, dateMs: undefined };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined; // deleted since the folder was read
    throw folderError(error, root, `list ${name}`);
  }
}

async function remove(folder: Folder, path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    await assertRootThere(folder.root);
    return;
  }
  await syncFolder(dirname(path));
}

async function tidyOnce(folder: Folder, path: string, nowMs: number | undefined): Promise<void> {
  if (folder.tidied.has(path) || nowMs === undefined) return;
  folder.tidied.add(path);
  await removeLeftovers(path, nowMs);
}

async function assertRootThere(root: string): Promise<void> {
  try {
    if ((await stat(root)).isDirectory()) return;
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw folderError(error, root, 'look');
    throw folderMissing(root, error);
  }
  throw folderMissing(root);
}

function notPlain(name: string): FerryError {
  return new FerryError('object-damaged', `${name} is not a plain file`, {
    details: { object: name },
  });
}
