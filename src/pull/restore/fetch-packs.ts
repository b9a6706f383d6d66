/**
 * Downloads the wanted parts of packs into the pool's buffers and hands them to the workers. A pack that does
 * not deliver is fetched once more; then the other places of its chunks are tried; what is left is given up.
 */
import { view } from '../../base/bytes.ts';
import { assert, FerryError, isObjectFault, throwIfAborted } from '../../base/errors.ts';
import { UnderWay } from '../../base/under-way.ts';
import { CHUNK_ID_BYTES } from '../../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from '../../format/header.ts';
import type { IndexedPack } from '../../format/index-object.ts';
import { visitDirectory } from '../../format/pack.ts';
import type { OnVerified } from '../../repository/adoption.ts';
import type { PackSource } from '../../repository/open.ts';
import { GAP_BYTES, packKey, packName } from '../../repository/pack-reader.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import type { RestoreFailure } from '../../workers/messages.ts';
import type { PackPool } from '../../workers/pack-pool.ts';
import type { RestoreFile } from '../../workers/restore-task.ts';
import type { Tasks } from '../../workers/tasks.ts';
import { wantFrom, type WantedChunk } from './wanted-chunks.ts';
import type { Wanted, WantedColumns } from './wanted.ts';

export type FetchDeps = {
  readonly repository: PackSource;
  readonly snapshot: SnapshotReader;
  readonly pool: PackPool;
  readonly tasks: Tasks;
  /** undefined: chunks are only verified. */
  readonly fileOf: ((number: number) => RestoreFile) | undefined;
  readonly onBytes: (placed: number, fetched: number) => void;
  /** A chunk is in its place in this file. */
  readonly onPlaced: (file: number) => void;
  readonly onVerified: OnVerified | undefined;
  /** A chunk that no pack could deliver. */
  readonly onLost: (file: number, pack: string, why: string) => void;
};

/** A pack is read whole when at least this share of it is wanted. */
const WHOLE_SHARE = 0.5;
const ATTEMPTS_PER_PACK = 2;

export async function fetchPacks(
  wanted: ReadonlyMap<number, Wanted>,
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<void> {
  const lost: Lost[] = [];
  await fetchRounds(wanted, lost, deps, signal);
  if (lost.length > 0 && (await deps.snapshot.rebuild())) {
    const again = wantAgain(lost.splice(0), lost, deps);
    await fetchRounds(again, lost, deps, signal);
  }
  for (const { file, pack, why } of lost) deps.onLost(file, pack, why);
}

/** A chunk that no pack delivered. */
type Lost = WantedChunk & { readonly pack: string; readonly why: string };

type Search = {
  /** Told when a pack has come down, or has failed to. */
  readonly onDown: () => void;
  /** Packs that were tried for a chunk, by its number in file and file. */
  readonly tried: Map<string, Set<number>>;
  readonly next: Map<number, Wanted>;
  readonly lost: Lost[];
};

async function fetchRounds(
  wanted: ReadonlyMap<number, Wanted>,
  lost: Lost[],
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<void> {
  let round = wanted;
  const tried = new Map<string, Set<number>>();
  const firstDown = Promise.withResolvers<void>();
  const onDown = firstDown.resolve;
  let begun = 0;
  while (round.size > 0) {
    const next = new Map<number, Wanted>();
    const search: Search = { tried, next, lost, onDown };
    const underWay = new UnderWay();
    for (const [ordinal, columns] of round) {
      throwIfAborted(signal);
      const buffer = await deps.pool.take();
      // What shares a line from the start is there at the same time: then nothing would come while all is unsealed.
      if (begun === deps.pool.size - 1) await firstDown.promise;
      if (underWay.hasFailed || buffer < 0) break;
      begun += 1;
      const fetched = fetchOne(ordinal, columns.columns(), buffer, deps, search, signal);
      underWay.add(fetched.finally(onDown).finally(() => deps.pool.free(buffer)));
    }
    await underWay.all();
    throwIfAborted(signal);
    round = next;
  }
}

async function fetchOne(
  ordinal: number,
  columns: WantedColumns,
  buffer: number,
  deps: FetchDeps,
  search: Search,
  signal: AbortSignal,
): Promise<void> {
  const pack = deps.snapshot.packs[ordinal];
  assert(pack, `no pack ${ordinal}`);
  let left = columns;
  let failures: readonly RestoreFailure[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS_PER_PACK; attempt++) {
    failures = await deliver(pack, left, buffer, deps, search.onDown, signal);
    if (failures.length === 0) return;
    left = pick(left, failures);
    failures = failures.map(({ why }, wanted) => ({ wanted, why }));
  }
  for (const { wanted, why } of failures) {
    tryElsewhere(ordinal, left, { wanted, why }, deps, search);
  }
}

/** What this pack did not deliver, as positions in the columns. */
async function deliver(
  pack: IndexedPack,
  columns: WantedColumns,
  buffer: number,
  deps: FetchDeps,
  onDown: () => void,
  signal: AbortSignal,
): Promise<readonly RestoreFailure[]> {
  try {
    const bytes = deps.pool.bytes(buffer);
    const fetched = await download(pack, columns, bytes, deps, signal).finally(onDown);
    deps.onBytes(0, fetched);
    const objectKey = packKey(deps.repository, pack, bytes.subarray(0, SEALED_HEADER_BYTES));
    const answer = await deps.tasks.run('restored', {
      type: 'restore',
      pack: {
        name: packName(pack),
        buffer,
        objectKey,
        // Of an index that holds many: a message would take all of them along.
        directory: new Uint8Array(pack.directory),
        wantedIds: columns.ids,
        wantedFiles: columns.files,
        wantedChunks: columns.chunks,
        files: deps.fileOf && filesOf(columns, deps.fileOf),
      },
    });
    const failed = new Set(answer.failures.map(({ wanted }) => wanted));
    for (const [at, file] of columns.files.entries()) if (!failed.has(at)) deps.onPlaced(file);
    deps.onBytes(answer.bytes, 0);
    deps.onVerified?.(deps.snapshot.chunkIdKey, pack, answer.verified);
    return answer.failures;
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return Array.from(columns.files, (_, wanted) => ({ wanted, why: error.message }));
  }
}

/** Header and wanted frames, each at its own offset in the buffer. Answers the bytes that came. */
async function download(
  pack: IndexedPack,
  columns: WantedColumns,
  into: Buffer,
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<number> {
  const name = packName(pack);
  if (pack.size > into.length) {
    throw new FerryError('object-damaged', `${name} is larger than this version can hold`);
  }
  let fetched = 0;
  for (const { offset, length } of rangesFor(pack, columns)) {
    const target = into.subarray(offset, offset + length);
    const answer = await deps.repository.store.getInto(name, { offset, length }, target, signal);
    if (!answer) throw new FerryError('object-missing', `${name} is missing`);
    if (answer.length !== length) {
      throw new FerryError('object-damaged', `${name} is shorter than it was stored`);
    }
    fetched += length;
  }
  return fetched;
}

type Range = { readonly offset: number; length: number };

function rangesFor(pack: IndexedPack, columns: WantedColumns): Range[] {
  const wanted = new Set<string>();
  const ids = view(columns.ids);
  for (let at = 0; at < ids.length; at += CHUNK_ID_BYTES) {
    wanted.add(ids.toString('latin1', at, at + CHUNK_ID_BYTES));
  }
  const ranges: Range[] = [{ offset: 0, length: SEALED_HEADER_BYTES }];
  let frame = { offset: 0, length: 0 };
  visitDirectory(pack.directory, SEALED_HEADER_BYTES, `the directory of ${packName(pack)}`, {
    frame: (_number, offset, length) => {
      frame = { offset, length };
    },
    chunk: (id) => {
      if (!wanted.has(id.toString('latin1'))) return;
      const last = ranges.at(-1);
      assert(last, 'the header is always wanted');
      const end = last.offset + last.length;
      if (frame.offset - end <= GAP_BYTES) {
        last.length = Math.max(last.length, frame.offset + frame.length - last.offset);
      } else {
        ranges.push({ ...frame });
      }
    },
  });
  const total = ranges.reduce((sum, range) => sum + range.length, 0);
  if (total < pack.size * WHOLE_SHARE || ranges.length === 1) return ranges;
  const last = ranges.at(-1);
  assert(last, 'the header is always wanted');
  return [{ offset: 0, length: last.offset + last.length }];
}

function pick(columns: WantedColumns, failures: readonly RestoreFailure[]): WantedColumns {
  const ids = failures.map(({ wanted }) => idOf(columns, wanted));
  return {
    ids: Buffer.concat(ids),
    files: Uint32Array.from(failures, ({ wanted }) => columns.files[wanted] ?? 0),
    chunks: Uint32Array.from(failures, ({ wanted }) => columns.chunks[wanted] ?? 0),
  };
}

const idOf = ({ ids }: WantedColumns, wanted: number): Buffer =>
  Buffer.from(ids.slice(wanted * CHUNK_ID_BYTES, (wanted + 1) * CHUNK_ID_BYTES));

function tryElsewhere(
  ordinal: number,
  columns: WantedColumns,
  { wanted, why }: RestoreFailure,
  { snapshot }: FetchDeps,
  { tried, next, lost }: Search,
): void {
  const id = idOf(columns, wanted);
  const file = columns.files[wanted] ?? 0;
  const chunk = columns.chunks[wanted] ?? 0;
  const name = `${file}:${chunk}`;
  const packs = tried.get(name) ?? new Set<number>();
  tried.set(name, packs.add(ordinal));
  if (wantFrom(snapshot, { id, file, chunk }, next, packs)) return;
  const pack = snapshot.packs[ordinal];
  lost.push({ id, file, chunk, pack: pack ? packName(pack) : '', why });
}

/** The same chunks by what the table says now; what it does not know stays lost. */
function wantAgain(
  missing: readonly Lost[],
  lost: Lost[],
  { snapshot }: FetchDeps,
): Map<number, Wanted> {
  const again = new Map<number, Wanted>();
  for (const one of missing) if (!wantFrom(snapshot, one, again)) lost.push(one);
  return again;
}

function filesOf(
  columns: WantedColumns,
  fileOf: (number: number) => RestoreFile,
): Map<number, RestoreFile> {
  const files = new Map<number, RestoreFile>();
  for (const number of columns.files) {
    if (!files.has(number)) files.set(number, fileOf(number));
  }
  return files;
}
