/**
 * The keys that the chunk ids of packs are under. Snapshots have them, so the packs that are to be read wait here for a
 * snapshot that names them and opens: of their own machine, where it has any, since another may say what it likes.
 */
import type { ListedPack } from '../../format/pack-list.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { listOf, type Needed, type NeededPacks } from './check-lists.ts';

export type KeyedPack = { readonly pack: ListedPack; readonly chunkIdKey: Uint8Array };

export class PackKeys {
  readonly #sets: NeededPacks['sets'];
  readonly #waiting: Map<string, Needed>;
  readonly #ready: KeyedPack[] = [];
  /** By other machines, for packs whose own has snapshots too: theirs may not open. */
  readonly #otherwise = new Map<string, KeyedPack>();
  #isComplete = false;
  #wake = (): void => undefined;

  constructor({ packs, sets }: NeededPacks, names: readonly string[]) {
    this.#sets = sets;
    const needed = names.flatMap((name) => {
      const one = packs.get(name);
      return one ? [[name, one] as const] : [];
    });
    this.#waiting = new Map(needed);
  }

  opened(chunkIdKey: Uint8Array, cover: OpenedCover): void {
    const list = listOf(cover);
    for (const [name, { pack, writers }] of this.#waiting) {
      if (!this.#sets.includes(list, pack)) continue;
      const keyed = { pack, chunkIdKey };
      if (cover.writer !== pack.writer && writers.has(pack.writer)) {
        this.#otherwise.set(name, keyed);
      } else {
        this.#waiting.delete(name);
        this.#ready.push(keyed);
      }
    }
    this.#wake();
  }

  /** No more will come. A pack that has no key now is needed by snapshots that do not open: that has been said. */
  complete(): void {
    for (const name of this.#waiting.keys()) {
      const keyed = this.#otherwise.get(name);
      if (keyed) this.#ready.push(keyed);
    }
    this.#isComplete = true;
    this.#wake();
  }

  /** Each as soon as its key is known. */
  async *ready(): AsyncGenerator<KeyedPack> {
    for (;;) {
      yield* this.#ready.splice(0);
      if (this.#isComplete && this.#ready.length === 0) return;
      if (this.#ready.length > 0) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
