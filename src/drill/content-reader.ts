/** Reads back what was restored: every byte from the disk, held against the ids that the snapshot has for it. */
import type { BytePath } from '../base/byte-path.ts';
import { UnderWay } from '../base/under-way.ts';
import type { FileEntry } from '../format/entry.ts';
import type { CheckLine } from '../gateway/landing/checklist.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { PIPELINE } from '../workers/limits.ts';
import type { RestoredFile } from '../workers/read-back-task.ts';
import type { Tasks } from '../workers/tasks.ts';
import { named } from './named.ts';

export class ContentReader {
  readonly #snapshot: SnapshotReader;
  readonly #tasks: Tasks;
  readonly #underWay = new UnderWay();
  readonly #different: string[] = [];
  readonly #unreadable: string[] = [];
  #lot: { readonly file: RestoredFile; readonly name: string }[] = [];
  #lotBytes = 0;
  #bytes = 0;

  constructor(snapshot: SnapshotReader, tasks: Tasks) {
    this.#snapshot = snapshot;
    this.#tasks = tasks;
  }

  async add(entry: FileEntry, path: BytePath, name: string): Promise<void> {
    const { size, chunkBytes } = entry;
    if (size === 0) return;
    const ids = await this.#snapshot.chunkIds(entry);
    this.#lot.push({ file: { path, size, chunkBytes, ids }, name });
    this.#lotBytes += size;
    this.#bytes += size;
    const isFull = this.#lotBytes >= PIPELINE.lotBytes || this.#lot.length >= PIPELINE.lotFiles;
    if (isFull) await this.#send();
  }

  async end(): Promise<CheckLine> {
    await this.#send();
    await this.#underWay.all();
    const ok = this.#different.length === 0;
    const expected = `${this.#bytes} bytes as in the snapshot`;
    const line = { check: 'content, read back', ok, critical: true, expected };
    if (!ok)
      return { ...line, found: `the disk gave back something else: ${named(this.#different)}` };
    if (this.#unreadable.length === 0) return { ...line, found: expected };
    const unread = `forbidden to read even for their owner: ${named(this.#unreadable)}`;
    return { ...line, found: `as in the snapshot, but for what is ${unread}` };
  }

  async #send(): Promise<void> {
    const lot = this.#lot;
    this.#lot = [];
    this.#lotBytes = 0;
    if (lot.length === 0) return;
    this.#underWay.add(this.#read(lot));
    await this.#underWay.fewerThan(this.#tasks.threads * PIPELINE.lotsInFlightPerWorker);
  }

  async #read(
    lot: readonly { readonly file: RestoredFile; readonly name: string }[],
  ): Promise<void> {
    const files = lot.map(({ file }) => file);
    const { chunkIdKey } = this.#snapshot;
    const { found } = await this.#tasks.run('was read back', {
      type: 'read back',
      files,
      chunkIdKey,
    });
    for (const [index, what] of found.entries()) {
      const name = lot[index]?.name ?? '';
      if (what === 'different') this.#different.push(name);
      if (what === 'unreadable') this.#unreadable.push(name);
    }
  }
}
