/**
 * export: a snapshot, or a part of it, as a plain tar archive: `<root name>/<path below the root>`. Each root's folder
 * says in a comment where it belongs, so that `import` needs to be told nothing.
 */
import type { Writable } from 'node:stream';
import { asBytePath, parseShownPath, type BytePath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { Entry, FileEntry } from '../format/entry.ts';
import type { SnapshotRoot } from '../format/snapshot.ts';
import type { PackSource } from '../repository/open.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { writeTar, type TarItem, type TarTotals } from '../tar/write-tar.ts';
import { ExportedContent, type EntryWithContent } from './exported-content.ts';
import { printExportedRoot } from './exported-root.ts';

export type ExportRequest = {
  readonly reader: SnapshotReader;
  /** `root` or `root/path`, as `ls` prints it; everything when absent. */
  readonly path?: string | undefined;
};

export type ExportDeps = { readonly repository: PackSource; readonly emit: Emit };

/**
 * Writes and ends `output` (standard output stays open).
 * @throws path-not-found before the first byte; object-missing, object-damaged, no-space, file-write
 */
export async function exportSnapshot(
  request: ExportRequest,
  output: Writable,
  deps: ExportDeps,
  signal: AbortSignal,
): Promise<TarTotals> {
  deps.emit({ type: 'stage', stage: 'export', detail: request.path ?? '' });
  const content = new ExportedContent(deps.repository, request.reader, signal);
  try {
    const progress = new ExportProgress(request, deps.emit);
    return await writeTar(itemsOf(request, content, progress), output, signal);
  } finally {
    await content.close();
  }
}

async function* itemsOf(
  request: ExportRequest,
  content: ExportedContent,
  progress: ExportProgress,
): AsyncGenerator<TarItem, void> {
  const { reader, path } = request;
  let isEmpty = true;
  for (const { root, from } of chooseRoots(request)) {
    for await (const one of content.of(resolved(reader, root, from))) {
      isEmpty = false;
      yield itemOf(reader, root, one, progress);
    }
  }
  progress.end();
  if (!isEmpty || path === undefined) return;
  throw new FerryError('path-not-found', `the snapshot holds nothing at ${path}`, {
    hint: 'stateferry ls lists what it holds.',
  });
}

async function* resolved(
  reader: SnapshotReader,
  root: SnapshotRoot,
  from: BytePath,
): AsyncGenerator<Entry, void> {
  const links = new OutsideLinks(reader, root, from);
  for await (const entry of reader.entries(root, from)) yield await links.resolve(entry);
}

type Chosen = { readonly root: SnapshotRoot; readonly from: BytePath };

function chooseRoots({ reader, path }: ExportRequest): Chosen[] {
  const { roots } = reader.body;
  const wanted = (path ?? '').replaceAll(/^\/+|\/+$/g, '');
  if (wanted === '') return roots.map((root) => ({ root, from: asBytePath('') }));
  const [name = '', ...below] = wanted.split('/');
  const root = roots.find((one) => one.name === name);
  if (root === undefined) {
    throw new FerryError('path-not-found', `the snapshot has no root ${name}`, {
      hint: `Its roots are ${roots.map((one) => one.name).join(', ')}.`,
    });
  }
  return [{ root, from: parseShownPath(below.join('/')) }];
}

function itemOf(
  reader: SnapshotReader,
  root: SnapshotRoot,
  { entry, content }: EntryWithContent,
  progress: ExportProgress,
): TarItem {
  const under = asBytePath(root.name);
  if (entry.path === '') {
    return { under, entry, comment: printExportedRoot(root, reader.body.install) };
  }
  if (entry.type !== 'file') return { under, entry };
  return { under, entry, content: progress.count(content) };
}

/**
 * Of a part of a root: a hard link to a file outside that part becomes the file itself, and the next link to the same
 * file a link to that.
 */
class OutsideLinks {
  readonly #reader: SnapshotReader;
  readonly #root: SnapshotRoot;
  readonly #from: BytePath;
  readonly #written = new Map<BytePath, BytePath>();

  constructor(reader: SnapshotReader, root: SnapshotRoot, from: BytePath) {
    this.#reader = reader;
    this.#root = root;
    this.#from = from;
  }

  async resolve(entry: Entry): Promise<Entry> {
    if (entry.type !== 'hardlink' || this.#isInside(entry.target)) return entry;
    const written = this.#written.get(entry.target);
    if (written !== undefined) return { ...entry, target: written };
    this.#written.set(entry.target, entry.path);
    return { ...(await this.#fileAt(entry.target)), path: entry.path };
  }

  #isInside(path: BytePath): boolean {
    return this.#from === '' || path === this.#from || path.startsWith(`${this.#from}/`);
  }

  async #fileAt(path: BytePath): Promise<FileEntry> {
    for await (const entry of this.#reader.entries(this.#root, path)) {
      if (entry.type === 'file') return entry;
      break;
    }
    throw new FerryError('object-damaged', 'the snapshot holds a hard link to no file');
  }
}

const BYTES_PER_EVENT = 16 * 1024 * 1024;
const FILES_PER_EVENT = 1000;

/** Of a part, only what is done is known, not how much it will be. */
class ExportProgress {
  readonly #emit: Emit;
  readonly #totals: { readonly files: number; readonly bytes: number; readonly known: boolean };
  #files = 0;
  #bytes = 0;
  #saidFiles = 0;
  #saidBytes = 0;

  constructor({ reader, path }: ExportRequest, emit: Emit) {
    this.#emit = emit;
    const { files, bytes } = reader.cover.cover;
    const known = path === undefined;
    this.#totals = known ? { files, bytes, known } : { files: 0, bytes: 0, known };
  }

  async *count(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const piece of content) {
      this.#bytes += piece.length;
      if (this.#bytes - this.#saidBytes >= BYTES_PER_EVENT) this.#say();
      yield piece;
    }
    this.#files += 1;
    if (this.#files - this.#saidFiles >= FILES_PER_EVENT) this.#say();
  }

  end(): void {
    this.#say();
  }

  #say(): void {
    this.#saidFiles = this.#files;
    this.#saidBytes = this.#bytes;
    this.#emit({
      type: 'progress',
      stage: 'export',
      bytesDone: this.#bytes,
      bytesTotal: Math.max(this.#totals.bytes, this.#bytes),
      filesDone: this.#files,
      filesTotal: Math.max(this.#totals.files, this.#files),
      totalsKnown: this.#totals.known,
    });
  }
}
