/** The content of files on its way from one repository to another: read chunk by chunk, named and stored anew. */
import { dirNameBytes } from '../base/byte-path.ts';
import { assert } from '../base/errors.ts';
import { UnderWay } from '../base/under-way.ts';
import { CHUNK_KINDS } from '../crypto/chunk-id.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import type { FileEntry } from '../format/entry.ts';
import type { SnapshotRoot } from '../format/snapshot.ts';
import type { ChunkSink } from '../push/chunk-sink.ts';
import type { PushLine } from '../push/line.ts';
import { entryIds } from '../push/tree-builder.ts';
import { keyName } from '../repository/adoption.ts';
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
  readonly #sink: ChunkSink;
  readonly #underWay = new UnderWay();

  constructor(snapshot: SnapshotReader, line: PushLine, known: KnownCopies) {
    this.#snapshot = snapshot;
    this.#line = line;
    this.#known = known.between(snapshot.chunkIdKey, line.keys.chunkId);
    this.#sink = line.newSink();
  }

  /** The entry as the target has it. @throws object-missing, object-damaged */
  async file(root: SnapshotRoot, entry: FileEntry): Promise<FileEntry> {
    const from = await this.#snapshot.chunkIds(entry);
    const to = Buffer.allocUnsafe(from.length);
    for (let at = 0; at < from.length; at += CHUNK_ID_BYTES) {
      const id = from.subarray(at, at + CHUNK_ID_BYTES);
      const copy = await this.#chunk(root, entry, at / CHUNK_ID_BYTES, id);
      copy.copy(to, at);
    }
    return { ...entry, ...entryIds(this.#line.sink, to, entry.size, entry.chunkBytes) };
  }

  /** Everything that was put so far is with the workers, and done. */
  async flush(): Promise<void> {
    this.#send(this.#sink);
    this.#send(this.#line.sink, 0);
    await this.#underWay.all();
  }

  async #chunk(root: SnapshotRoot, entry: FileEntry, number: number, id: Buffer): Promise<Buffer> {
    const known = this.#known.find(id);
    if (known && this.#sink.reuse(known)) return known;
    const bytes = await this.#snapshot.chunk(entry, number, id);
    const isGrouped = number === 0 && bytes.length <= PIPELINE.groupedChunkBytesMax;
    const group = isGrouped && !entry.database && `${root.name}/${dirNameBytes(entry.path)}`;
    const company: BlobCompany | undefined = entry.secret
      ? 'secret'
      : group === false
        ? undefined
        : { group };
    const before = this.#sink.blobBytes;
    // A copy: what a message carries takes the whole buffer along that it is a part of.
    const copy = this.#sink.put(CHUNK_KINDS.data, Uint8Array.from(bytes), company);
    this.#line.progress.read(bytes.length, this.#sink.blobBytes > before);
    if (!known) this.#known.add(id, copy);
    assert(!known || known.equals(copy), 'the same content has the same id');
    if (this.#sink.blobBytes >= PIPELINE.lotBytes) {
      this.#send(this.#sink);
      this.#send(this.#line.sink, 0);
      const { threads } = this.#line.tasks;
      await this.#underWay.fewerThan(threads * PIPELINE.lotsInFlightPerWorker);
    }
    return copy;
  }

  #send(sink: ChunkSink, thread?: number): void {
    const blobs = sink.takeBlobs();
    if (blobs.length === 0) return;
    this.#underWay.add(this.#line.tasks.run('done', { type: 'store', blobs }, thread));
  }
}
