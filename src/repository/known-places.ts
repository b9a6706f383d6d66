/** Where in which pack the chunks lie, for a few packs at a time: a directory is looked through once. */
import { recall, remember } from '../base/newest.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { PackPlaces } from './pack-places.ts';

const DIRECTORIES_MAX = 4;

export class KnownPlaces {
  readonly #places = new Map<number, PackPlaces>();

  /** @throws object-damaged */
  in(ordinal: number, pack: IndexedPack): PackPlaces {
    const known = recall(this.#places, ordinal);
    if (known?.directory === pack.directory) return known;
    const places = new PackPlaces(pack);
    remember(this.#places, ordinal, places, DIRECTORIES_MAX);
    return places;
  }

  clear(): void {
    this.#places.clear();
  }
}
