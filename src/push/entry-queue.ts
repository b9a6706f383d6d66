/**
 * The entries of a root on their way into its tree: they enter in the order of the walk, however the workers finish, so
 * those behind one that is not settled wait.
 */
import type { BytePath } from '../base/byte-path.ts';
import { toHex } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { ENTRY_TYPES } from '../format/entry.ts';
import type { WalkEntry } from '../fs/walk.ts';
import type { TreeBuilder } from './tree-builder.ts';

export type Waiting = {
  readonly path: BytePath;
  /** undefined: still being captured; null: left out after all. */
  rest: Uint8Array | null | undefined;
  bytes: number;
  /** Another name of an earlier file: decided when that one is. */
  readonly linked?: WalkEntry;
};

export type ArchivedRoot = {
  readonly filesIn: ReadonlyMap<string, number>;
  readonly page: string;
  readonly files: number;
  readonly bytes: number;
};

export type EntryQueueDeps = {
  readonly tree: TreeBuilder;
  /** Folders whose files are counted, by the name of the count. */
  readonly counted: readonly { readonly name: string; readonly folder: BytePath }[];
  /** Decides about another name of a file, which is at the front. */
  readonly link: (waiting: Waiting, item: WalkEntry) => void;
  readonly onEntry: (bytes: number) => void;
};

export class EntryQueue {
  readonly #deps: EntryQueueDeps;
  readonly #waiting: Waiting[] = [];
  #head = 0;
  readonly #filesIn = new Map<string, number>();
  #files = 0;
  #bytes = 0;

  constructor(deps: EntryQueueDeps) {
    this.#deps = deps;
  }

  /** Entries that wait. */
  get length(): number {
    return this.#waiting.length - this.#head;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** Everything at the front that is settled goes into the tree. */
  drain(): void {
    for (let waiting = this.#waiting[this.#head]; waiting;) {
      if (waiting.linked && waiting.rest === undefined) this.#deps.link(waiting, waiting.linked);
      if (waiting.rest === undefined) break;
      if (waiting.rest !== null) this.#enter(waiting, waiting.rest);
      this.#deps.onEntry(waiting.bytes);
      waiting = this.#waiting[++this.#head];
    }
    if (this.#head > SETTLED_KEPT_MAX) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Once everything is settled. @returns undefined: there was no entry at all */
  finish(): ArchivedRoot | undefined {
    this.drain();
    assert(this.length === 0, 'every entry is settled');
    const { tree } = this.#deps;
    if (tree.isEmpty) return undefined;
    const page = toHex(tree.finish());
    return { page, files: this.#files, bytes: this.#bytes, filesIn: this.#filesIn };
  }

  #enter(waiting: Waiting, rest: Uint8Array): void {
    this.#deps.tree.add(waiting.path, rest);
    if (rest[0] === ENTRY_TYPES.file) {
      this.#files += 1;
      this.#bytes += waiting.bytes;
    }
    if (rest[0] === ENTRY_TYPES.file || rest[0] === ENTRY_TYPES.hardlink) this.#count(waiting.path);
    waiting.rest = IN_TREE;
  }

  #count(path: BytePath): void {
    for (const { name, folder } of this.#deps.counted) {
      if (folder !== '' && !path.startsWith(`${folder}/`)) continue;
      this.#filesIn.set(name, (this.#filesIn.get(name) ?? 0) + 1);
    }
  }
}

const SETTLED_KEPT_MAX = 4096;
/** In place of an entry's bytes once they are in the tree: a file with several names is remembered for long. */
const IN_TREE = new Uint8Array();
