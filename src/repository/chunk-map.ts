/** Which of a snapshot's packs holds which chunk: 25 MiB for ten gigabytes, so whoever is done with it lets go. */
import type { Emit } from '../base/events.ts';
import { FerryError } from '../base/errors.ts';
import type { IndexedPack } from '../format/index-object.ts';
import { ChunkTable } from '../workers/chunk-table.ts';
import { IdOffsets } from './id-offsets.ts';
import { addToTable, chunksAtMost } from './indexes.ts';

type Known = { readonly table: ChunkTable; readonly offsets: IdOffsets };

export class ChunkMap {
  readonly #packs: readonly IndexedPack[];
  #known: Known | undefined;

  /** @param packs may be put right later on; `emit` hears now of a directory that cannot be read */
  constructor(packs: readonly IndexedPack[], emit: Emit) {
    this.#packs = packs;
    this.#known = learn(packs, emit);
  }

  /** By position in the packs. */
  get table(): ChunkTable {
    return this.#get().table;
  }

  /** Where in the directory of its pack the id of a slot of the table stands. */
  get offsets(): IdOffsets {
    return this.#get().offsets;
  }

  /** It is made again once it is asked. */
  letGo(): void {
    this.#known = undefined;
  }

  #get(): Known {
    return (this.#known ??= learn(this.#packs, () => undefined));
  }
}

function learn(packs: readonly IndexedPack[], emit: Emit): Known {
  const table = ChunkTable.create(chunksAtMost(packs));
  const offsets = new IdOffsets();
  for (const [ordinal, pack] of packs.entries()) {
    try {
      addToTable(table, pack, ordinal, offsets);
    } catch (error) {
      if (!(error instanceof FerryError) || error.code !== 'object-damaged') throw error;
      emit({ type: 'notice', code: 'index-unusable', message: error.message });
    }
  }
  return { table, offsets };
}
