/** Reads whole packs and checks every chunk in them, on the worker threads. */
import { isObjectFault } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { countText } from '../../base/quantity-text.ts';
import { UnderWay } from '../../base/under-way.ts';
import { sameBytes } from '../../crypto/sodium.ts';
import { SEALED_HEADER_BYTES } from '../../format/header.ts';
import type { ListedPack } from '../../format/pack-list.ts';
import { visitDirectory } from '../../format/pack.ts';
import { isVouched } from '../../format/vouched-directory.ts';
import { damaged } from '../../repository/objects.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { openDirectory, packName } from '../../repository/pack-reader.ts';
import { PIPELINE } from '../../workers/limits.ts';
import { PackPool } from '../../workers/pack-pool.ts';
import { shrinkHeap } from '../../workers/small-heaps.ts';
import { Tasks, workerCount } from '../../workers/tasks.ts';

/** Ids (as latin1) of the chunks of a pack that are not what they were; all, where it does not even open. */
export type DamagedChunks = ReadonlySet<string> | 'all';

export type PackHearer = {
  /** What the pack itself says of its content, before any of it is checked. */
  opened(directory: Uint8Array): void;
  spoilt(code: string, why: string, chunks: DamagedChunks): void;
};

type Spoilt = { readonly code: string; readonly why: string; readonly of: DamagedChunks };

/** How many packs, the bytes of all of them, and those of the largest. */
type PlannedReading = {
  readonly objects: number;
  readonly total: number;
  readonly largest: number;
};

export class PackChecker {
  readonly #repository: ReaderRepository;
  readonly #emit: Emit;
  readonly #planned: PlannedReading;
  readonly #pool: PackPool;
  readonly #tasks: Tasks;
  readonly #underWay = new UnderWay();
  #chunkIdKey: Uint8Array | undefined;
  objects = 0;
  bytes = 0;

  constructor(repository: ReaderRepository, emit: Emit, planned: PlannedReading) {
    this.#repository = repository;
    this.#emit = emit;
    this.#planned = planned;
    shrinkHeap();
    const threads = workerCount();
    this.#pool = PackPool.create(threads + PIPELINE.spareBuffers, planned.largest);
    for (let buffer = 0; buffer < this.#pool.size; buffer++) this.#pool.free(buffer);
    this.#tasks = new Tasks(threads, () => undefined);
    this.#tasks.startAll();
    emit({ type: 'stage', stage: 'read', detail: countText(planned.objects, 'pack') });
  }

  /** Returns as soon as the pack is under way; `finish` waits for all. */
  async check(
    pack: ListedPack,
    chunkIdKey: Uint8Array,
    signal: AbortSignal,
    hearer: PackHearer,
  ): Promise<void> {
    await this.#use(chunkIdKey);
    const buffer = await this.#pool.take();
    this.#underWay.rethrow();
    const checked = this.#checkIn(buffer, pack, signal, hearer);
    this.#underWay.add(checked.finally(() => this.#pool.free(buffer)));
  }

  async finish(): Promise<void> {
    await this.#underWay.all();
  }

  async close(): Promise<void> {
    this.#pool.stop();
    await this.#tasks.close();
  }

  /** The workers know one chunk-id key at a time: packs of one install come together. */
  async #use(chunkIdKey: Uint8Array): Promise<void> {
    if (this.#chunkIdKey && sameBytes(this.#chunkIdKey, chunkIdKey)) return;
    await this.finish();
    const setup = { pool: this.#pool.shared, chunkIdKey, stages: [], setIdAllowed: false };
    this.#tasks.tellAll({ type: 'begin restore', setup });
    this.#chunkIdKey = chunkIdKey;
  }

  /** A pack is damaged when it is so twice: what changed on the way to here is no damage. */
  async #checkIn(
    buffer: number,
    pack: ListedPack,
    signal: AbortSignal,
    { opened, spoilt }: PackHearer,
  ): Promise<void> {
    const first = await this.#look(buffer, pack, signal, opened);
    if (first?.code !== 'object-missing') this.#progress(pack.size);
    if (first?.code !== 'object-damaged') return first && spoilt(first.code, first.why, first.of);
    const second = await this.#look(buffer, pack, signal, opened);
    if (second) return spoilt(second.code, second.why, second.of);
    this.#emit({
      type: 'notice',
      code: 'read-differently',
      message: `${packName(pack)} came damaged, and whole when it was read again`,
      hint: 'Something between the store and here changes bytes: a proxy, the network, the memory.',
    });
  }

  async #look(
    buffer: number,
    pack: ListedPack,
    signal: AbortSignal,
    opened: PackHearer['opened'],
  ): Promise<Spoilt | undefined> {
    const name = packName(pack);
    let ids: Buffer[] = [];
    try {
      const bytes = this.#pool.bytes(buffer).subarray(0, pack.size);
      const answer = await this.#repository.store.getInto(name, undefined, bytes, signal);
      if (!answer) return { code: 'object-missing', why: 'it is missing', of: 'all' };
      if (answer.length !== pack.size) throw damaged(name, 'it is shorter than it was stored');
      const { directory, objectKey } = await openDirectory(
        this.#repository,
        pack,
        (offset, length) => partOf(bytes, offset, length, name),
      );
      ids = idsOf(directory, name);
      opened(directory);
      const { failures } = await this.#tasks.run('restored', {
        type: 'restore',
        pack: {
          name,
          buffer,
          objectKey,
          directory,
          wantedIds: Buffer.concat(ids),
          wantedFiles: new Uint32Array(ids.length),
          wantedChunks: new Uint32Array(ids.length),
          files: undefined,
        },
      });
      const [first] = failures;
      if (!first) return undefined;
      const ofThem = failures.map(({ wanted }) => ids[wanted]?.toString('latin1') ?? '');
      const many = `${new Set(ofThem).size} of ${ids.length} chunks`;
      return { code: 'object-damaged', why: `${first.why} (${many})`, of: new Set(ofThem) };
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      return { code: error.code, why: error.message, of: 'all' };
    }
  }

  #progress(bytes: number): void {
    this.objects += 1;
    this.bytes += bytes;
    this.#emit({
      type: 'progress',
      stage: 'read',
      bytesDone: this.bytes,
      bytesTotal: this.#planned.total,
      filesDone: this.objects,
      filesTotal: this.#planned.objects,
      bytesStored: this.bytes,
      totalsKnown: true,
    });
  }
}

function partOf(bytes: Uint8Array, offset: number, length: number, name: string): Uint8Array {
  if (offset + length > bytes.length) throw damaged(name, 'it is shorter than recorded');
  return bytes.subarray(offset, offset + length);
}

/** Of what repacking left without a name nobody says what it is, and nobody needs it. */
function idsOf(directory: Uint8Array, name: string): Buffer[] {
  const ids: Buffer[] = [];
  visitDirectory(directory, SEALED_HEADER_BYTES, `the directory of ${name}`, {
    chunk: (id) => void (isVouched(id) && ids.push(id)),
  });
  return ids;
}
