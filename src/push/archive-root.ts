/**
 * One root into one tree: walk, capture, pages. Entries leave in the order of the walk however the workers
 * finish; how much may wait in between is bounded.
 */
import {
  asBytePath,
  baseNameBytes,
  dirNameBytes,
  joinBytes,
  type BytePath,
} from '../base/byte-path.ts';
import { ByteWriter, view } from '../base/bytes.ts';
import { throwIfAborted } from '../base/errors.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { CHUNK_BYTES, encodeEntryRest, type Entry, type EntryBase } from '../format/entry.ts';
import { mayBeLedAway } from '../fs/led-away.ts';
import type { Owners } from '../fs/owners.ts';
import { setFingerprint, statSet } from '../fs/sqlite-file.ts';
import type { WalkEntry, WalkItem } from '../fs/walk.ts';
import type { Capturer, Captured } from './capturer.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { EntryQueue, type ArchivedRoot, type Waiting } from './entry-queue.ts';
import type { OmissionLog } from './omission-log.ts';
import type { OmitSpec } from './omit-spec.ts';
import {
  isSeenStat,
  openSeen,
  SeenCollector,
  statBytes,
  type SeenDirectory,
  type SeenFile,
  type SeenFiles,
} from './seen-files.ts';
import { entryIds, TreeBuilder } from './tree-builder.ts';

export type ArchiveRoot = {
  /** Where it is read. */
  readonly readFrom: BytePath;
  readonly omit: OmitSpec;
  isSecret(path: BytePath, isDatabase: boolean): boolean;
  /** Folders whose files are counted as they are captured, by the name of the count. */
  readonly counted?: readonly { readonly name: string; readonly folder: BytePath }[];
};

export type ArchiveDeps = {
  readonly sink: ChunkSink;
  readonly pageCutKey: Uint8Array;
  readonly capturer: Capturer;
  readonly owners: Owners;
  readonly seen: SeenFiles;
  readonly log: OmissionLog;
  /** Entries settled so far, for the progress line. */
  readonly onEntry: (bytes: number) => void;
};

/** Entries that may wait for an earlier one. */
const WAITING_MAX = 20_000;

type OpenDirectory = {
  readonly path: BytePath;
  readonly seen: SeenDirectory;
  readonly now: SeenCollector;
  /** What became of its files so far: what lies beside a database waits to hear that it is one. */
  readonly verdicts: Map<BytePath, Verdict>;
};
type Verdict = {
  settled: Captured | 'database' | undefined;
  readonly waiting: ((captured: Captured | 'database') => void)[];
};

/** What SQLite keeps beside a database; part of it, never a file by itself. */
const SET_SUFFIX = /-(wal|shm|journal)$/;

export class RootArchiver {
  readonly #root: ArchiveRoot;
  readonly #deps: ArchiveDeps;
  readonly #queue: EntryQueue;
  readonly #writer = new ByteWriter(4096);
  readonly #directories: OpenDirectory[] = [];
  /** Files with several names, by inode: the first name that is kept. */
  readonly #hardLinks = new Map<string, Waiting>();
  readonly #mayBeLedAway: boolean;

  constructor(root: ArchiveRoot, deps: ArchiveDeps) {
    this.#root = root;
    this.#mayBeLedAway = mayBeLedAway(root.readFrom);
    this.#deps = deps;
    this.#queue = new EntryQueue({
      tree: new TreeBuilder(deps.sink, deps.pageCutKey),
      counted: root.counted ?? [],
      link: (waiting, item) => this.#link(waiting, item),
      onEntry: deps.onEntry,
    });
  }

  /**
   * @param walk what a walk of the root finds
   * @returns undefined: the root is not there at all, which the log says
   */
  async run(
    walk: AsyncIterable<Iterable<WalkItem>>,
    signal: AbortSignal,
  ): Promise<ArchivedRoot | undefined> {
    for await (const items of walk) {
      for (const item of items) {
        this.#take(item);
        if (this.#deps.capturer.isFull) await this.#makeRoom(signal);
      }
      // The event loop gets a turn, so that uploads and answers go on.
      await this.#makeRoom(signal);
      throwIfAborted(signal);
    }
    this.#leaveDirectories(undefined);
    do {
      await this.#deps.capturer.settleAll(signal);
      this.#queue.drain();
    } while (this.#deps.capturer.isBusy);
    return this.#queue.finish();
  }

  async #makeRoom(signal: AbortSignal): Promise<void> {
    await this.#deps.capturer.turn(signal);
    this.#queue.drain();
    while (this.#queue.length > WAITING_MAX) {
      await this.#deps.capturer.settle(signal);
      this.#queue.drain();
    }
  }

  #take(item: WalkItem): void {
    if (item.kind === 'omission') return this.#deps.log.omission(item.path, item.reason);
    if (item.kind === 'problem') return this.#deps.log.problem(item.path, item.code, item.message);
    this.#leaveDirectories(item.path);
    if (item.type === 'dir') {
      const seen = openSeen(this.#deps.seen, item.path);
      const now = new SeenCollector();
      this.#directories.push({ path: item.path, seen, now, verdicts: new Map() });
      return this.#ready(item.path, { ...this.#base(item), type: 'dir' });
    }
    if (item.type === 'symlink') {
      const target = item.linkTarget ?? asBytePath('');
      return this.#ready(item.path, { ...this.#base(item), type: 'symlink', target });
    }
    this.#takeFile(item);
  }

  #takeFile(item: WalkEntry): void {
    if (item.nlink > 1 && this.#hardLinks.has(inodeOf(item))) {
      this.#queue.add({ path: item.path, rest: undefined, bytes: 0, linked: item });
      return;
    }
    const directory = this.#directories.at(-1);
    const known = directory?.seen.find(baseNameBytes(item.path));
    if (known && directory && this.#isUnchanged(item, known)) {
      directory.now.add(known, false);
      const waiting: Waiting = { path: item.path, rest: known.rest, bytes: sizeOf(known.rest) };
      this.#queue.add(waiting);
      this.#rememberLink(item, waiting);
      if (known.fingerprint !== '')
        directory.verdicts.set(item.path, { settled: 'database', waiting: [] });
      return;
    }
    const waiting: Waiting = { path: item.path, rest: undefined, bytes: item.size };
    this.#queue.add(waiting);
    const database = asBytePath(item.path.replace(SET_SUFFIX, ''));
    const verdict = directory?.verdicts.get(database);
    if (verdict && database !== item.path) this.#takeSetMember(item, waiting, directory, verdict);
    else this.#capture(item, waiting, directory);
  }

  /** A file beside one that may be a database: nothing is decided before that one is. */
  #takeSetMember(
    item: WalkEntry,
    waiting: Waiting,
    directory: OpenDirectory | undefined,
    verdict: Verdict,
  ): void {
    const decide = (captured: Captured | 'database'): void => {
      const isRead = captured !== 'database' && captured.kind === 'read';
      // No database after all, or none that was captured: then its neighbour stands for itself.
      const isAlone = captured !== 'database' && (!isRead || captured.fingerprint === '');
      if (isAlone) return this.#capture(item, waiting, directory);
      const suffix = SET_SUFFIX.exec(item.path)?.[0] ?? '';
      const beside = isRead ? captured.beside.get(suffix) : undefined;
      if (!beside || !isRead) {
        waiting.rest = null;
        return this.#deps.log.omission(
          item.path,
          'part of the database beside it, and inside its copy',
        );
      }
      const kept = { ...captured, ...beside, stable: false, beside: new Map<string, never>() };
      this.#captured(item, waiting, undefined, kept);
    };
    if (verdict.settled === undefined) verdict.waiting.push(decide);
    else decide(verdict.settled);
  }

  #isUnchanged(item: WalkEntry, known: SeenFile): boolean {
    if (!isSeenStat(known.stat, item)) return false;
    if (known.fingerprint !== '') {
      const set = statSet(joinBytes(this.#root.readFrom, item.path));
      if (!set || setFingerprint(set) !== known.fingerprint) return false;
    }
    const { sink } = this.#deps;
    const ids = Buffer.from(known.ids.buffer, known.ids.byteOffset, known.ids.length);
    for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
      if (!sink.reuse(ids.subarray(at, at + CHUNK_ID_BYTES))) return false;
    }
    // List chunks are cheap to make again, and making them marks them as used.
    const chunkBytes = known.fingerprint === '' ? CHUNK_BYTES.other : CHUNK_BYTES.database;
    const size = sizeOf(known.rest);
    entryIds(sink, ids, size, chunkBytes);
    return true;
  }

  #capture(item: WalkEntry, waiting: Waiting, directory: OpenDirectory | undefined): void {
    this.#rememberLink(item, waiting);
    const verdict: Verdict = { settled: undefined, waiting: [] };
    directory?.verdicts.set(item.path, verdict);
    if (directory) directory.now.pending += 1;
    const group = `${this.#deps.seen.root}/${dirNameBytes(item.path)}`;
    const secret = {
      asFile: this.#root.isSecret(item.path, false),
      asDatabase: this.#root.isSecret(item.path, true),
    };
    const path = joinBytes(this.#root.readFrom, item.path);
    const common = { group, secret, mayBeLedAway: this.#mayBeLedAway };
    const at = { path, shown: item.path, expected: item, ...common };
    this.#deps.capturer.add(at, (captured) => {
      this.#captured(item, waiting, directory, captured);
      verdict.settled = captured;
      for (const decide of verdict.waiting) decide(captured);
    });
  }

  #captured(
    item: WalkEntry,
    waiting: Waiting,
    directory: OpenDirectory | undefined,
    captured: Captured,
  ): void {
    if (captured.kind === 'left out') {
      waiting.rest = null;
      directory?.now.forget();
    } else {
      const { size, chunkBytes, database, stat, secret } = captured;
      const lists = entryIds(this.#deps.sink, captured.ids, size, chunkBytes);
      const base = { ...this.#base(item), mtimeNs: stat.mtimeNs };
      const sparse = item.sparse && !database;
      const rest = this.#encode({
        ...base,
        type: 'file',
        size,
        sparse,
        secret,
        database,
        chunkBytes,
        ...lists,
      });
      waiting.rest = rest;
      waiting.bytes = size;
      if (captured.stable) {
        const { fingerprint, ids } = captured;
        const name = baseNameBytes(item.path);
        directory?.now.add({ name, stat: statBytes(stat), fingerprint, rest, ids }, true);
      } else {
        directory?.now.forget();
      }
    }
    if (directory) {
      directory.now.pending -= 1;
      this.#saveIfComplete(directory);
    }
  }

  #ready(path: BytePath, entry: Entry): void {
    this.#queue.add({ path, rest: this.#encode(entry), bytes: 0 });
    if (this.#queue.length === 1) this.#queue.drain();
  }

  /** The first name stands in the tree by now, or was left out: then this one takes its place. */
  #link(waiting: Waiting, item: WalkEntry): void {
    const first = this.#hardLinks.get(inodeOf(item));
    if (first === waiting) return;
    if (first?.rest) {
      const entry: Entry = { ...this.#base(item), type: 'hardlink', target: first.path };
      waiting.rest = this.#encode(entry);
    } else {
      this.#capture(item, waiting, undefined);
    }
  }

  /** The walk is at `path`: directories that do not contain it are done with; undefined: all of them. */
  #leaveDirectories(path: BytePath | undefined): void {
    for (let top = this.#directories.at(-1); top; top = this.#directories.at(-1)) {
      if (path !== undefined && (top.path === '' || path.startsWith(`${top.path}/`))) return;
      this.#directories.pop();
      top.now.complete = true;
      this.#saveIfComplete(top);
    }
  }

  #saveIfComplete(directory: OpenDirectory): void {
    if (!directory.now.complete || directory.now.pending > 0) return;
    directory.now.save(this.#deps.seen, directory.path);
  }

  #rememberLink(item: WalkEntry, waiting: Waiting): void {
    if (item.nlink > 1) this.#hardLinks.set(inodeOf(item), waiting);
  }

  #base(item: WalkEntry): EntryBase {
    const { path, mode, uid, gid, mtimeNs } = item;
    const { owners } = this.#deps;
    return { path, mode, uid, gid, owner: owners.user(uid), group: owners.group(gid), mtimeNs };
  }

  #encode(entry: Entry): Uint8Array {
    this.#writer.reset();
    encodeEntryRest(this.#writer, entry);
    return this.#writer.take();
  }
}

const inodeOf = (item: WalkEntry): string => `${item.dev}:${item.ino}`;

/** Of an encoded file entry: it stands after type, flags, mode, ids, two names and the time. */
function sizeOf(rest: Uint8Array): number {
  const owner = rest[12] ?? 0;
  const group = rest[13 + owner] ?? 0;
  return view(rest).readUIntLE(12 + 1 + owner + 1 + group + 8, 6);
}
