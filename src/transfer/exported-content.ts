/** The content of an export: read ahead on the workers, handed out in the order of the entries. */
import { begunAhead } from '../base/lanes.ts';
import { assert } from '../base/errors.ts';
import type { Entry } from '../format/entry.ts';
import type { PackSource } from '../repository/open.ts';
import { PackParts } from '../repository/pack-parts.ts';
import { inLots, type EntryPart } from '../repository/entry-lots.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { PACKS_TO_SHRINK_FOR, shrinkHeap } from '../workers/small-heaps.ts';
import { Tasks, workerCount } from '../workers/tasks.ts';

export type EntryWithContent = {
  readonly entry: Entry;
  /** Of a file: all of it, to be used up before the next entry is asked for. */
  readonly content: AsyncIterable<Buffer>;
};

type ReadPart = EntryPart & { readonly content: readonly Buffer[] };

export class ExportedContent {
  readonly #reader: SnapshotReader;
  readonly #tasks = new Tasks(workerCount(), () => undefined);
  readonly #parts: PackParts;

  constructor(repository: PackSource, reader: SnapshotReader, signal: AbortSignal) {
    this.#reader = reader;
    if (reader.packs.length >= PACKS_TO_SHRINK_FOR) shrinkHeap();
    this.#parts = new PackParts(repository, reader, this.#tasks.threads + 2, signal);
    this.#tasks.tellAll({ type: 'begin read', setup: this.#parts.setup });
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
    const ahead = this.#tasks.threads + 1;
    yield* flat(begunAhead(lots, ahead, (lot) => this.#readLot(lot)));
  }

  async #readLot(lot: readonly EntryPart[]): Promise<ReadPart[]> {
    const chunks = lot.flatMap((part) => part.chunks);
    const read: Buffer[] = [];
    await this.#parts.each(chunks, async (part, indexes) => {
      const { bytes, lengths } = await this.#tasks.run('was read', { type: 'read', part });
      let at = bytes.byteOffset;
      for (const [number, index] of indexes.entries()) {
        const length = lengths[number] ?? -1;
        if (length < 0) continue;
        read[index] = Buffer.from(bytes.buffer, at, length);
        at += length;
      }
    });
    let from = 0;
    const done: ReadPart[] = [];
    for (const part of lot) {
      done.push({
        ...part,
        content: await this.#whole(part, read.slice(from, from + part.chunks.length)),
      });
      from += part.chunks.length;
    }
    return done;
  }

  /** What the workers did not find is looked for in every place, one by one. */
  async #whole(
    { entry, first, chunks }: EntryPart,
    read: (Buffer | undefined)[],
  ): Promise<Buffer[]> {
    const whole: Buffer[] = [];
    for (const [at, { id }] of chunks.entries()) {
      assert(entry.type === 'file', 'only a file has chunks');
      whole.push(read[at] ?? (await this.#reader.chunk(entry, first + at, id)));
    }
    return whole;
  }
}

async function* flat<T>(lots: AsyncIterable<readonly T[]>): AsyncGenerator<T, void> {
  for await (const lot of lots) yield* lot;
}

async function* contentFrom(
  part: ReadPart,
  parts: AsyncGenerator<ReadPart, void>,
): AsyncGenerator<Buffer, void> {
  yield* part.content;
  for (let isLast = part.isLast; !isLast;) {
    const { value: next } = await parts.next();
    assert(next, 'the parts of a file follow each other');
    yield* next.content;
    isLast = next.isLast;
  }
}
