/** Every chunk that a restore wants, by the pack to fetch it from. */
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { Wanted } from './wanted.ts';

type Unknown = { readonly id: Buffer; readonly file: number; readonly chunk: number };

export class WantedChunks {
  /** By position in the snapshot's packs. */
  readonly byPack = new Map<number, Wanted>();
  readonly #snapshot: Pick<SnapshotReader, 'table' | 'rebuild'>;
  #unknown: Unknown[] = [];

  constructor(snapshot: Pick<SnapshotReader, 'table' | 'rebuild'>) {
    this.#snapshot = snapshot;
  }

  /** @param file its number @param chunk which one of that file */
  add(id: Buffer, file: number, chunk: number): void {
    if (!this.#addKnown(id, file, chunk)) this.#unknown.push({ id, file, chunk });
  }

  /** Chunks that no index knew: the packs themselves may. Answers the files of which one is in no pack at all. */
  async seekUnknown(): Promise<ReadonlySet<number>> {
    const unknown = this.#unknown;
    this.#unknown = [];
    if (unknown.length > 0) await this.#snapshot.rebuild();
    const lost = unknown.filter(({ id, file, chunk }) => !this.#addKnown(id, file, chunk));
    return new Set(lost.map(({ file }) => file));
  }

  #addKnown(id: Buffer, file: number, chunk: number): boolean {
    const { table } = this.#snapshot;
    const slot = table.find(id);
    if (slot < 0) return false;
    const pack = table.packOf(slot);
    const wanted = this.byPack.get(pack) ?? new Wanted();
    this.byPack.set(pack, wanted);
    wanted.add(id, file, chunk);
    return true;
  }
}
