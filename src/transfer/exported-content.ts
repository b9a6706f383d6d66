/** The content of an export: read ahead on the workers, handed out in the order of the entries. */
import { begunAhead } from '../base/lanes.ts';
import { assert } from '../base/errors.ts';
import type { Entry } from '../format/entry.ts';
import type { PackSource } from '../repository/open.ts';
import { PackParts } from '../repository/pack-parts.ts';
import { inLots, LOT_BYTES, type EntryPart } from '../repository/entry-lots.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { PackPool } from '../workers/pack-pool.ts';
import { PACKS_TO_SHRINK_FOR, shrinkHeap } from '../workers/small-heaps.ts';
import { Tasks, workerCount } from '../workers/tasks.ts';

export type EntryWithContent = {
  readonly entry: Entry;
  /** Of a file: all of it. Each piece holds until the next one, or the next entry, is asked for. */
  readonly content: AsyncIterable<Buffer>;
};

type ReadPart = EntryPart & { readonly content: Buffer };
type ReadLot = { readonly buffer: number; readonly parts: readonly ReadPart[] };

export class ExportedContent {
  readonly #reader: SnapshotReader;
  readonly #tasks = new Tasks(workerCount(), () => undefined);
  readonly #parts: PackParts;
  /** How many lots are read or handed out at a time: each has a buffer that is used again. */
  readonly #ahead = this.#tasks.threads + 1;
  readonly #lots = PackPool.create(this.#ahead, LOT_BYTES);

  constructor(repository: PackSource, reader: SnapshotReader, signal: AbortSignal) {
    this.#reader = reader;
    if (reader.packs.length >= PACKS_TO_SHRINK_FOR) shrinkHeap();
    for (let buffer = 0; buffer < this.#ahead; buffer++) this.#lots.free(buffer);
    this.#parts = new PackParts(repository, reader, this.#tasks.threads + 2, signal);
    const setup = { ...this.#parts.setup, lots: this.#lots.shared };
    this.#tasks.tellAll({ type: 'begin read', setup });
  }

  /** @throws object-missing, object-damaged, once their turn has come */
  async *of(entries: AsyncIterable<Entry>): AsyncGenerator<EntryWithContent, void> {
    const parts = this.#read(entries);
    try {
      for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
        yield { entry: next.value.entry, content: contentFrom(next.value, parts) };
      }
    } finally {
      // Whoever stops early leaves nothing under way.
      await parts.return(undefined);
    }
  }

  async close(): Promise<void> {
    await this.#tasks.close();
  }

  async *#read(entries: AsyncIterable<Entry>): AsyncGenerator<ReadPart, void> {
    const lots = inLots(this.#reader, entries);
    for await (const { buffer, parts } of begunAhead(lots, this.#ahead, (lot) => this.#lot(lot))) {
      yield* parts;
      this.#lots.free(buffer);
    }
  }

  async #lot(lot: readonly EntryPart[]): Promise<ReadLot> {
    const buffer = await this.#lots.take();
    const into = this.#lots.bytes(buffer);
    const chunks = lot.flatMap((part) => part.chunks);
    const offsets = offsetsOf(chunks);
    const isThere = new Uint8Array(chunks.length);
    await this.#parts.each(chunks, async (part, indexes) => {
      const at = Uint32Array.from(indexes, (index) => offsets[index] ?? 0);
      const { found } = await this.#tasks.run('was read', { type: 'read', part, lot: buffer, at });
      for (const [number, index] of indexes.entries()) isThere[index] = found[number] ?? 0;
    });
    const parts: ReadPart[] = [];
    let next = 0;
    for (const part of lot) {
      const from = offsets[next] ?? 0;
      for (const [at, { id }] of part.chunks.entries()) {
        if (isThere[next] !== 1) await this.#seek(part, at, id, into, offsets[next] ?? 0);
        next += 1;
      }
      parts.push({ ...part, content: into.subarray(from, offsets[next]) });
    }
    return { buffer, parts };
  }

  /** What the workers did not find is looked for in every place. */
  async #seek(
    { entry, first }: EntryPart,
    at: number,
    id: Buffer,
    into: Buffer,
    offset: number,
  ): Promise<void> {
    assert(entry.type === 'file', 'only a file has chunks');
    into.set(await this.#reader.chunk(entry, first + at, id), offset);
  }
}

/** Where each begins, one after the other, and where the last one ends. */
function offsetsOf(chunks: readonly { readonly length: number }[]): Uint32Array {
  const offsets = new Uint32Array(chunks.length + 1);
  for (const [index, { length }] of chunks.entries()) {
    offsets[index + 1] = (offsets[index] ?? 0) + length;
  }
  return offsets;
}

async function* contentFrom(
  part: ReadPart,
  parts: AsyncGenerator<ReadPart, void>,
): AsyncGenerator<Buffer, void> {
  yield part.content;
  for (let isLast = part.isLast; !isLast;) {
    const { value: next } = await parts.next();
    assert(next, 'the parts of a file follow each other');
    yield next.content;
    isLast = next.isLast;
  }
}
