/** The checker of packs without threads and buffers of 8 MiB: a simulated pack is smaller than its header. */
import { isObjectFault } from '../../../src/base/errors.ts';
import type { ListedPack } from '../../../src/format/pack-list.ts';
import type { PackChecker as Checker } from '../../../src/maintenance/check/check-packs.ts';
import type { ReaderRepository } from '../../../src/repository/open.ts';
import { readWholePack } from '../whole-pack.ts';

export class PackChecker implements Pick<Checker, 'check' | 'finish' | 'close'> {
  readonly #repository: ReaderRepository;
  objects = 0;
  bytes = 0;

  constructor(repository: ReaderRepository) {
    this.#repository = repository;
  }

  async check(
    pack: ListedPack,
    _chunkIdKey: Uint8Array,
    signal: AbortSignal,
    { spoilt }: Parameters<Checker['check']>[3],
  ): Promise<void> {
    this.objects += 1;
    this.bytes += pack.size;
    try {
      await readWholePack(this.#repository, pack, signal);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      spoilt(error.code, error.message, 'all');
    }
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {}
}
