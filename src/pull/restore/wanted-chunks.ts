/** Every chunk that a restore wants, by the pack to fetch it from. */
import { CHUNK_ID_BYTES } from '../../crypto/sizes.ts';
import type { KnownChunks } from '../../repository/needed-packs.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { Wanted } from './wanted.ts';

/** @param chunk which one of that file */
export type WantedChunk = { readonly id: Buffer; readonly file: number; readonly chunk: number };

type Source = Pick<SnapshotReader, 'packs' | 'rebuild'> & { readonly chunks: KnownChunks };

export class WantedChunks {
  /** By position in the snapshot's packs. */
  readonly byPack = new Map<number, Wanted>();
  readonly #snapshot: Source;
  #unknown: WantedChunk[] = [];

  constructor(snapshot: Source) {
    this.#snapshot = snapshot;
  }

  add(wanted: WantedChunk): void {
    if (!wantFrom(this.#snapshot, wanted, this.byPack)) this.#unknown.push(wanted);
  }

  /** Chunks that no index knew: the packs themselves may. Answers the files of which one is in no pack at all. */
  async seekUnknown(): Promise<ReadonlySet<number>> {
    const unknown = this.#unknown;
    this.#unknown = [];
    if (unknown.length > 0) await this.#snapshot.rebuild();
    const lost = unknown.filter((one) => !wantFrom(this.#snapshot, one, this.byPack));
    return new Set(lost.map(({ file }) => file));
  }
}

/** Adds it to what is wanted of a pack that has it and was not tried. False: there is none. */
export function wantFrom(
  { packs, chunks }: Omit<Source, 'rebuild'>,
  { id, file, chunk }: WantedChunk,
  byPack: Map<number, Wanted>,
  tried: ReadonlySet<number> = new Set(),
): boolean {
  const { table, offsets } = chunks;
  for (let slot = table.find(id); slot >= 0; slot = table.findNext(slot, id)) {
    const ordinal = table.packOf(slot);
    const directory = packs[ordinal]?.directory;
    const offset = offsets.get(slot);
    if (!directory || tried.has(ordinal) || !standsAt(directory, offset, id)) continue;
    const wanted = byPack.get(ordinal) ?? new Wanted();
    byPack.set(ordinal, wanted);
    wanted.add(directory, offset, file, chunk);
    return true;
  }
  return false;
}

/** The table knows half of an id, and may know it of a directory that was put right since. */
const standsAt = (directory: Uint8Array, offset: number, id: Buffer): boolean =>
  id.equals(directory.subarray(offset, offset + CHUNK_ID_BYTES));
