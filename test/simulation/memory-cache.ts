/** The local cache without SQLite: what was not flushed is lost with the process. */
import type { IndexedPack } from '../../src/format/index-object.ts';
import type { WriterId } from '../../src/format/names.ts';
import type { RepositoryCache } from '../../src/repository/cache.ts';

type PackRow = {
  readonly indexer: WriterId;
  readonly pack: IndexedPack;
  readonly indexed: boolean;
};

/** What of a cache lies on the disk of a machine. */
export class CacheDisk {
  readonly #packs = new Map<string, PackRow>();
  /** By key and name. */
  readonly #verified = new Map<string, IndexedPack>();
  readonly #objects = new Map<string, Uint8Array>();
  readonly #facts = new Map<string, string>();
  /** Takes back what was not flushed. */
  #undo: (() => void)[] = [];

  /** As a process that starts now finds it. */
  open(): RepositoryCache {
    for (const takeBack of this.#undo.toReversed()) takeBack();
    this.#undo = [];
    const flush = (): void => {
      this.#undo = [];
    };
    return {
      packs: (indexer) => [...this.#packs.values()].filter((row) => row.indexer === indexer),
      addPack: (indexer, pack, indexed) =>
        this.#set(this.#packs, pack.writer + pack.pack, { indexer, pack, indexed }),
      markIndexed: (indexer, packs) => {
        for (const pack of packs) {
          const name = pack.writer + pack.pack;
          if (this.#packs.has(name)) this.#set(this.#packs, name, { indexer, pack, indexed: true });
        }
        flush();
      },
      dropPack: (writer, pack) => this.#set(this.#packs, writer + pack, undefined),
      verifiedPacks: (key, pack) => {
        const prefix = pack ? `${key} ${pack.writer}${pack.pack}` : `${key} `;
        return [...this.#verified].flatMap(([row, one]) => (row.startsWith(prefix) ? [one] : []));
      },
      addVerifiedPack: (key, pack) =>
        this.#set(this.#verified, `${key} ${pack.writer}${pack.pack}`, pack),
      dropVerifiedPacks: (key) => {
        for (const row of this.#verified.keys()) {
          if (row.startsWith(`${key} `)) this.#set(this.#verified, row, undefined);
        }
      },
      directory: () => undefined,
      setDirectory: () => undefined,
      object: (name) => this.#objects.get(name),
      setObject: (name, bytes) => this.#set(this.#objects, name, bytes),
      dropObject: (name) => this.#set(this.#objects, name, undefined),
      fact: (name) => this.#facts.get(name),
      setFact: (name, value) => this.#set(this.#facts, name, value),
      flush,
      close: flush,
    };
  }

  /** Somebody deletes the folder. */
  lose(): void {
    for (const rows of [this.#packs, this.#verified, this.#objects, this.#facts]) rows.clear();
    this.#undo = [];
  }

  #set<Value>(rows: Map<string, Value>, key: string, value: Value | undefined): void {
    const before = rows.get(key);
    this.#undo.push(() => put(rows, key, before));
    put(rows, key, value);
  }
}

function put<Value>(rows: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) rows.delete(key);
  else rows.set(key, value);
}
