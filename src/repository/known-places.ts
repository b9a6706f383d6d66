/** Where in which pack the chunks lie, for a few packs at a time: a directory is looked through once. */
import { recall, remember } from '../base/newest.ts';
import { visitPlaces, type ChunkPlace } from '../format/chunk-place.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { packName } from './pack-reader.ts';

type Places = { readonly directory: Uint8Array; readonly of: ReadonlyMap<string, ChunkPlace> };

const DIRECTORIES_MAX = 4;

export class KnownPlaces {
  readonly #places = new Map<number, Places>();

  /** What was learned of a pack holds for as long as its directory does. @throws object-damaged */
  in(ordinal: number, pack: IndexedPack): ReadonlyMap<string, ChunkPlace> {
    const known = recall(this.#places, ordinal);
    if (known?.directory === pack.directory) return known.of;
    const of = chunkPlaces(pack);
    remember(this.#places, ordinal, { directory: pack.directory, of }, DIRECTORIES_MAX);
    return of;
  }

  clear(): void {
    this.#places.clear();
  }
}

/** Every chunk of a pack by id (32 characters). */
export function chunkPlaces(pack: IndexedPack): Map<string, ChunkPlace> {
  const places = new Map<string, ChunkPlace>();
  visitPlaces(pack.directory, packName(pack), (id, place) => {
    places.set(id.toString('latin1'), place());
  });
  return places;
}
