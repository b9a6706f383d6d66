/**
 * A repository that many machines pushed to for years, made cheaply: its snapshots, pack lists and names of packs are
 * real, and the packs hold nothing. So whatever reads no content can be measured on it: what it asks for and holds.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cryptoReady, systemRandom } from '../../src/crypto/sodium.ts';
import { idFromBytes, writerObjectName, type ObjectId } from '../../src/format/names.ts';
import type { ListedPack } from '../../src/format/pack-list.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { createRepository, joinRepository } from '../../src/repository/create.ts';
import type { MachineState } from '../../src/repository/machine.ts';
import {
  openForReading,
  openForWriting,
  type WriterRepository,
} from '../../src/repository/open.ts';
import { StoredPackList } from '../../src/repository/pack-lists.ts';
import { makeSnapshot } from '../../src/repository/snapshots.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { bareBody } from '../support/snapshot-body.ts';
import { SECRET } from './tools.ts';

const NO_ABORT = new AbortController().signal;
const HOUR_MS = 60 * 60 * 1000;
const MACHINES = 10;
/** A snapshot needs this many packs: 6 GiB of full ones. */
const PACKS_NEEDED = 400;
const PACK_BYTES = 64;

export type Crowd = {
  readonly snapshots: number;
  readonly packs: number;
  /** So many more of each, spread over the machines. */
  grow(snapshots: number, packs: number): Promise<void>;
};

type Pusher = {
  readonly repository: WriterRepository;
  readonly packs: ListedPack[];
  sequence: number;
  previous: string | null;
};

/** @param folder where the objects of the repository lie */
export async function makeCrowd(folder: string): Promise<Crowd> {
  await cryptoReady();
  const pushers = await makePushers(folder);
  const crowd = { snapshots: 0, packs: 0 };
  const grow: Crowd['grow'] = async (snapshots, packs) => {
    const perSnapshot = packs / snapshots;
    let due = 0;
    for (let made = 0; made < snapshots; made += 1) {
      const pusher = pushers[made % pushers.length];
      if (pusher === undefined) throw new Error('nobody pushes');
      due += perSnapshot;
      for (; due >= 1; due -= 1) addPack(folder, pusher);
      await addSnapshot(folder, pusher);
    }
    crowd.snapshots += snapshots;
    crowd.packs += packs;
  };
  return Object.assign(crowd, { grow });
}

async function makePushers(folder: string): Promise<Pusher[]> {
  const memory = openMemoryStore();
  const request = { passphrase: SECRET, machine: 'machine-0' };
  const keep = (): Promise<void> => Promise.resolve();
  const created = await createRepository(memory, request, systemRandom, keep, NO_ABORT);
  const secret = { with: 'passphrase', passphrase: SECRET } as const;
  const nothing = (): void => undefined;
  const cacheOf = (): LocalCache => LocalCache.open(undefined, '', nothing);
  const { id, identity } = await openForReading(
    memory,
    secret,
    undefined,
    cacheOf,
    nothing,
    NO_ABORT,
  );
  const states: MachineState[] = [created.state];
  while (states.length < MACHINES) {
    const name = `machine-${states.length}`;
    states.push(await joinRepository(memory, id, identity, name, systemRandom, NO_ABORT));
  }
  for await (const { name } of memory.list('', NO_ABORT)) {
    const object = await memory.get(name, undefined, NO_ABORT);
    if (object) write(folder, name, object.bytes);
  }
  const onDisk: ObjectStore = {
    ...memory,
    put: async (name, bytes) => {
      write(folder, name, bytes);
      return { outcome: 'stored', dateMs: undefined };
    },
  };
  const opened = states.map((state) =>
    openForWriting(memory, { state, save: keep }, cacheOf(), nothing, NO_ABORT),
  );
  const writers = await Promise.all(opened);
  return writers.map((one) => ({
    repository: { ...one, store: onDisk },
    packs: [],
    sequence: 0,
    previous: null,
  }));
}

function addPack(folder: string, { repository, packs }: Pusher): void {
  const writer = repository.writer.id;
  const pack = idFromBytes<ObjectId>(systemRandom(16));
  write(folder, writerObjectName('packs', writer, pack), new Uint8Array(PACK_BYTES));
  packs.push({ writer, pack, size: PACK_BYTES });
}

async function addSnapshot(folder: string, pusher: Pusher): Promise<void> {
  const { id, recipient, writer } = pusher.repository;
  const needed = pusher.packs.slice(-PACKS_NEEDED);
  const list = new StoredPackList(pusher.repository, 'openclaw', needed, systemRandom);
  await list.ensure(NO_ABORT);
  pusher.sequence += 1;
  const cover = {
    sequence: pusher.sequence,
    previous: pusher.previous,
    // Long before the store took it, and each an hour after the one before.
    time: new Date(Date.UTC(2025, 0, 1) + pusher.sequence * HOUR_MS).toISOString(),
    install: 'openclaw',
    machine: `machine of ${writer.id.slice(0, 6)}`,
    label: null,
    files: 20_000,
    bytes: 6_000_000_000,
    packList: list.id,
  };
  const made = makeSnapshot(id, recipient, writer, cover, BODY, systemRandom);
  write(folder, made.name, made.bytes);
  pusher.previous = made.digest;
}

const BODY = bareBody('/home/mara');
function write(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
