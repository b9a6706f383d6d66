/** Reads whole packs and checks every chunk in them, on the worker threads. */
import { isObjectFault } from '../base/errors.ts';
import { SEALED_HEADER_BYTES } from '../format/header.ts';
import { visitDirectory } from '../format/pack.ts';
import type { ListedPack } from '../format/pack-list.ts';
import { keyName } from '../repository/adoption.ts';
import type { ReaderRepository } from '../repository/open.ts';
import { packKey, packName, readOwnDirectory } from '../repository/pack-reader.ts';
import { PIPELINE } from '../workers/limits.ts';
import { PackPool } from '../workers/pack-pool.ts';
import { Tasks, workerCount } from '../workers/tasks.ts';

type Report = (code: string, message: string) => void;

export class PackChecker {
  readonly #repository: ReaderRepository;
  readonly #pool: PackPool;
  readonly #tasks: Tasks;
  readonly #running = new Set<Promise<void>>();
  #failure: unknown;
  #keyInUse: string | undefined;
  objects = 0;
  bytes = 0;

  constructor(repository: ReaderRepository) {
    this.#repository = repository;
    const threads = workerCount();
    this.#pool = PackPool.create(threads + PIPELINE.spareBuffers, PIPELINE.packBytes);
    for (let buffer = 0; buffer < this.#pool.size; buffer++) this.#pool.free(buffer);
    this.#tasks = new Tasks(threads, () => undefined);
  }

  /** Returns as soon as the pack is under way; `finish` waits for all. */
  async check(
    pack: ListedPack,
    chunkIdKey: Uint8Array,
    signal: AbortSignal,
    report: Report,
  ): Promise<void> {
    await this.#useKey(chunkIdKey);
    const buffer = await this.#pool.take();
    if (this.#failure !== undefined) throw this.#failure;
    const one = this.#checkIn(buffer, pack, signal, report)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#pool.free(buffer);
        this.#running.delete(one);
      });
    this.#running.add(one);
  }

  async finish(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#pool.stop();
    await this.#tasks.close();
  }

  /** The workers know one chunk-id key at a time: packs of one install come together. */
  async #useKey(chunkIdKey: Uint8Array): Promise<void> {
    const name = keyName(chunkIdKey);
    if (this.#keyInUse === name) return;
    await this.finish();
    this.#tasks.tellAll({
      type: 'begin restore',
      setup: {
        pool: this.#pool.shared,
        chunkIdKey,
        stages: [],
        setIdAllowed: false,
      },
    });
    this.#keyInUse = name;
  }

  async #checkIn(
    buffer: number,
    pack: ListedPack,
    signal: AbortSignal,
    report: Report,
  ): Promise<void> {
    const name = packName(pack);
    try {
      const bytes = this.#pool.bytes(buffer).subarray(0, pack.size);
      const answer = await this.#repository.store.getInto(name, undefined, bytes, signal);
      if (!answer) return report('object-missing', 'it is missing');
      this.objects += 1;
      this.bytes += answer.length;
      if (answer.length !== pack.size)
        return report('object-damaged', 'it is shorter than it was stored');
      const objectKey = packKey(this.#repository, pack, bytes.subarray(0, SEALED_HEADER_BYTES));
      const { directory } = await readOwnDirectory(this.#repository, pack, signal);
      const ids = idsOf(directory, name);
      const count = ids.length / 32;
      const failures = await this.#tasks.run('restored', {
        type: 'restore',
        pack: {
          name,
          buffer,
          objectKey,
          directory,
          wantedIds: ids,
          wantedFiles: new Uint32Array(count),
          wantedChunks: new Uint32Array(count),
          files: undefined,
        },
      });
      const [first] = failures.failures;
      if (first)
        report(
          'object-damaged',
          `${failures.failures.length} of ${count} chunks are damaged: ${first.why}`,
        );
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      report(error.code, error.message);
    }
  }
}

function idsOf(directory: Uint8Array, name: string): Uint8Array {
  const ids: Buffer[] = [];
  visitDirectory(directory, SEALED_HEADER_BYTES, `the directory of ${name}`, {
    chunk: (id) => void ids.push(id),
  });
  return Buffer.concat(ids);
}
