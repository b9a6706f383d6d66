/** The content of files on its way from one repository to another: read ahead, named and stored anew by the workers. */
import { dirNameBytes } from '../base/byte-path.ts';
import { view } from '../base/bytes.ts';
import { begunAhead } from '../base/lanes.ts';
import { UnderWay } from '../base/under-way.ts';
import { CHUNK_KINDS } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { Entry, FileEntry } from '../format/entry.ts';
import type { SnapshotRoot } from '../format/snapshot.ts';
import type { ChunkSink } from '../push/chunk-sink.ts';
import type { PushLine } from '../push/line.ts';
import { entryIds } from '../push/tree-builder.ts';
import { keyName } from '../repository/adoption.ts';
import type { PackSource } from '../repository/open.ts';
import { PackParts, type WantedChunk } from '../repository/pack-parts.ts';
import { inLots, type EntryPart } from '../repository/entry-lots.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { ChunkTable } from '../workers/chunk-table.ts';
import { PIPELINE } from '../workers/limits.ts';
import type { BlobCompany } from '../workers/messages.ts';

/**
 * Which chunk of the target holds what a chunk of the source does: what two snapshots share is read once. An install
 * that landed under another name keeps the key of its chunk ids, and has another one in the target: an id says
 * something only together with both keys that it is translated between.
 */
export class KnownCopies {
  readonly #byKeys = new Map<string, CopiedIds>();

  between(from: Uint8Array, to: Uint8Array): CopiedIds {
    const keys = `${keyName(from)} ${keyName(to)}`;
    const ids = this.#byKeys.get(keys) ?? new CopiedIds();
    this.#byKeys.set(keys, ids);
    return ids;
  }
}

class CopiedIds {
  readonly #table = ChunkTable.create(0);
  #ids = Buffer.allocUnsafe(1024 * CHUNK_ID_BYTES);
  #count = 0;

  find(id: Buffer): Buffer | undefined {
    const slot = this.#table.find(id);
    if (slot < 0) return undefined;
    const at = this.#table.packOf(slot) * CHUNK_ID_BYTES;
    return this.#ids.subarray(at, at + CHUNK_ID_BYTES);
  }

  add(id: Buffer, copy: Buffer): void {
    const at = this.#count * CHUNK_ID_BYTES;
    if (at === this.#ids.length) this.#ids = Buffer.concat([this.#ids, Buffer.alloc(at)]);
    copy.copy(this.#ids, at);
    this.#table.add(id, this.#count++);
  }
}

export class CopiedContent {
  readonly #snapshot: SnapshotReader;
  readonly #line: PushLine;
  readonly #known: CopiedIds;
  readonly #parts: PackParts;
  readonly #sink: ChunkSink;
  readonly #underWay = new UnderWay();

  constructor(
    source: PackSource,
    snapshot: SnapshotReader,
    line: PushLine,
    known: KnownCopies,
    signal: AbortSignal,
  ) {
    this.#snapshot = snapshot;
    this.#line = line;
    this.#known = known.between(snapshot.chunkIdKey, line.keys.chunkId);
    this.#sink = line.newSink();
    const { tasks } = line;
    this.#parts = new PackParts(source, snapshot, tasks.threads + 1, signal);
    tasks.tellAll({ type: 'begin read', setup: this.#parts.setup });
  }

  /** The entries as the target has them. @throws object-missing, object-damaged, once their turn has come */
  async *entries(root: SnapshotRoot): AsyncGenerator<Entry, void> {
    const lots = inLots(this.#snapshot, this.#snapshot.entries(root));
    const ahead = this.#line.tasks.threads + 1;
    let ids: Buffer[] = [];
    for await (const lot of begunAhead(lots, ahead, (one) => this.#copyLot(root, one))) {
      for (const { entry, copies, isLast } of lot) {
        ids.push(Buffer.concat(copies));
        if (!isLast) continue;
        yield entry.type === 'file' ? this.#withIds(entry, Buffer.concat(ids)) : entry;
        ids = [];
      }
      if (this.#line.sink.blobBytes >= PIPELINE.lotBytes) await this.#send(this.#line.sink, 0);
    }
  }

  /** Everything that was put so far, pages too, is with the workers, and done. */
  async flush(): Promise<void> {
    await this.#send(this.#line.sink, 0);
    await this.#underWay.all();
  }

  #withIds(entry: FileEntry, ids: Buffer): FileEntry {
    return { ...entry, ...entryIds(this.#line.sink, ids, entry.size, entry.chunkBytes) };
  }

  /** What was not copied before is opened by a worker and stored anew by the same. */
  async #copyLot(root: SnapshotRoot, lot: readonly EntryPart[]): Promise<CopiedPart[]> {
    const chunks = lot.flatMap((part) => chunksOf(root, part));
    const copies = chunks.map(({ id }) => this.#copiedBefore(id));
    const missing = [...chunks.entries()].filter(([at]) => copies[at] === undefined);
    const wanted = missing.map(([, chunk]) => chunk);
    await this.#parts.each(wanted, async (part, indexes) => {
      const companies = indexes.map((index) => wanted[index]?.company);
      const { ids } = await this.#line.tasks.run('copied', { type: 'copy', part, companies });
      for (const [number, index] of indexes.entries()) {
        const copy = view(ids).subarray(number * CHUNK_ID_BYTES, (number + 1) * CHUNK_ID_BYTES);
        if (!copy.equals(NOT_COPIED)) copies[missing[index]?.[0] ?? 0] = copy;
      }
    });
    const all: Buffer[] = [];
    for (const [at, chunk] of chunks.entries()) {
      const copy = copies[at] ?? (await this.#copyHere(chunk));
      if (!this.#known.find(chunk.id)) this.#known.add(chunk.id, copy);
      all.push(copy);
    }
    return lot.map((part) => ({ ...part, copies: all.splice(0, part.chunks.length) }));
  }

  #copiedBefore(id: Buffer): Buffer | undefined {
    const known = this.#known.find(id);
    return known && this.#sink.reuse(known) ? known : undefined;
  }

  /** One that the workers did not find is looked for in every place. */
  async #copyHere({ entry, number, id, company }: ContentChunk): Promise<Buffer> {
    const bytes = await this.#snapshot.chunk(entry, number, id);
    const before = this.#sink.blobBytes;
    // A copy: what a message carries takes the whole buffer along that it is a part of.
    const copy = this.#sink.put(CHUNK_KINDS.data, Uint8Array.from(bytes), company);
    this.#line.progress.read(bytes.length, this.#sink.blobBytes > before);
    await this.#send(this.#sink);
    return copy;
  }

  async #send(sink: ChunkSink, thread?: number): Promise<void> {
    const blobs = sink.takeBlobs();
    if (blobs.length === 0) return;
    const { tasks } = this.#line;
    this.#underWay.add(tasks.run('done', { type: 'store', blobs }, thread));
    await this.#underWay.fewerThan(tasks.threads * PIPELINE.lotsInFlightPerWorker);
  }
}

/** A chunk of a file, and what may share its compression context. */
type ContentChunk = WantedChunk & {
  readonly entry: FileEntry;
  readonly number: number;
  readonly company: BlobCompany | undefined;
};

type CopiedPart = EntryPart & { readonly copies: readonly Buffer[] };

const NOT_COPIED = Buffer.alloc(CHUNK_ID_BYTES);

function chunksOf(root: SnapshotRoot, { entry, first, chunks }: EntryPart): ContentChunk[] {
  if (entry.type !== 'file') return [];
  const group = `${root.name}/${dirNameBytes(entry.path)}`;
  return chunks.map((chunk, at) => {
    const number = first + at;
    const isGrouped = number === 0 && chunk.length <= PIPELINE.groupedChunkBytesMax;
    const company = entry.secret ? 'secret' : isGrouped && !entry.database ? { group } : undefined;
    return { ...chunk, entry, number, company };
  });
}
