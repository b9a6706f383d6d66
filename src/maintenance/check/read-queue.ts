/**
 * Whose turn it is to be read. Packs stand in a queue: a run reads its part from the front and puts it behind, new ones
 * come behind too. So runs of 5 % each have read every pack after twenty, on whatever days; where packs were deleted
 * meanwhile a run reads more than its part, rather than let one wait longer.
 */
import { ByteReader, ByteWriter, toHex } from '../../base/bytes.ts';
import { DAY_MS } from '../../base/durations.ts';
import { isObjectFault } from '../../base/errors.ts';
import {
  ID_BYTES,
  idBytes,
  idFromBytes,
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterId,
} from '../../format/names.ts';
import type { ReaderRepository } from '../../repository/open.ts';

export type ReadQueue = {
  /** How many runs there were. */
  readonly runs: number;
  /** The next one first. */
  readonly packs: readonly QueuedPack[];
};

type QueuedPack = {
  readonly name: string;
  /** The last run that it did not wait for. */
  readonly since: number;
};

export type Turn = {
  readonly chosen: readonly string[];
  /** What is remembered once they are read. */
  readonly next: ReadQueue;
};

/**
 * @param names of all packs that could be read
 * @param nowMs the store's: where nothing is remembered, another part is read every day
 */
export function nextToRead(
  names: readonly string[],
  { runs, packs }: ReadQueue,
  percent: number,
  nowMs: number,
): Turn {
  const run = runs + 1;
  const there = new Set(names);
  const known = packs.filter(({ name }) => there.has(name));
  const queued = new Set(known.map(({ name }) => name));
  const part = Math.ceil((names.length * percent) / 100);
  const fresh = names.filter((name) => !queued.has(name)).toSorted();
  const turned = known.length > 0 ? fresh : turn(fresh, Math.floor(nowMs / DAY_MS) * part);
  const all = [...known, ...turned.map((name) => ({ name, since: runs }))];
  const runsMax = Math.ceil(100 / percent);
  const due = all.filter(({ since }) => run - since >= runsMax).length;
  const chosen = all.slice(0, Math.max(part, due));
  const read = chosen.map(({ name }) => ({ name, since: run }));
  return {
    chosen: chosen.map(({ name }) => name),
    next: { runs: run, packs: [...all.slice(chosen.length), ...read] },
  };
}

function turn(names: readonly string[], by: number): readonly string[] {
  const at = names.length === 0 ? 0 : by % names.length;
  return [...names.slice(at), ...names.slice(0, at)];
}

const EMPTY: ReadQueue = { runs: 0, packs: [] };

export function rememberedQueue(repository: ReaderRepository): ReadQueue {
  const bytes = repository.cache.object(rowOf(repository));
  try {
    return bytes ? decodeQueue(bytes) : EMPTY;
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return EMPTY;
  }
}

function decodeQueue(bytes: Uint8Array): ReadQueue {
  const reader = new ByteReader(bytes, 'the queue of packs');
  const runs = reader.u32();
  const packs: QueuedPack[] = [];
  while (reader.remaining > 0) {
    const writer = idFromBytes<WriterId>(reader.bytes(ID_BYTES));
    const pack = idFromBytes<ObjectId>(reader.bytes(ID_BYTES));
    packs.push({ name: writerObjectName('packs', writer, pack), since: reader.u32() });
  }
  return { runs, packs };
}

export function rememberQueue(repository: ReaderRepository, { runs, packs }: ReadQueue): void {
  const writer = new ByteWriter(4 + packs.length * (2 * ID_BYTES + 4)).u32(runs);
  for (const { name, since } of packs) {
    const parsed = parseWriterObjectName(name);
    if (parsed) writer.bytes(idBytes(parsed.writer)).bytes(idBytes(parsed.id)).u32(since);
  }
  repository.cache.setObject(rowOf(repository), writer.take());
  repository.cache.flush();
}

/** Another repository may call itself by the same id. */
const rowOf = ({ identity }: ReaderRepository): string =>
  `packs to read under ${toHex(identity.root.publicKey)}`;
