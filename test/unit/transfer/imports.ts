/** What the tests of import and export share: old homes, archives made by the system's own tar, imports of them. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.ts';
import type { FerryEvent } from '../../../src/base/events.ts';
import { systemRandom } from '../../../src/crypto/sodium.ts';
import { BRANDS } from '../../../src/gateway/install/brands.ts';
import { writeSample, type Sample } from '../../../src/gateway/sample/sample-install.ts';
import { runProcess } from '../../../src/process/run.ts';
import { LocalCache } from '../../../src/repository/cache.ts';
import { openForWriting } from '../../../src/repository/open.ts';
import { openSnapshot, type SnapshotReader } from '../../../src/repository/snapshot-reader.ts';
import { importArchives, type Imported, type ImportRequest } from '../../../src/transfer/import.ts';
import { listAll, NO_ABORT, openReader, type Engine } from '../../support/engine.ts';

/** A sample install in a home of its own, its database closed. */
export function oldSample(folder: string): Sample {
  const sample = writeSample({ home: `${folder}/old/home/alice`, nodePath: process.execPath });
  sample.goOn();
  sample.close();
  return sample;
}

export const forget = (sample: Sample): void => rmSync(sample.home, { recursive: true });

export function tar(cwd: string, ...args: readonly string[]): void {
  const ran = spawnSync('tar', args, { cwd, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`tar ${args.join(' ')}: ${ran.stderr}`);
}

export async function importInto(
  engine: Engine,
  request: Pick<ImportRequest, 'archives'> & Partial<ImportRequest>,
): Promise<Imported & { readonly events: readonly FerryEvent[] }> {
  const { machine, store } = engine;
  const events: FerryEvent[] = [];
  const emit = (event: FerryEvent): void => void events.push(event);
  const cache = LocalCache.open(machine.cache, machine.state.repository, emit);
  const memory = {
    get state() {
      return machine.state;
    },
    async save(state: typeof machine.state) {
      machine.state = state;
    },
  };
  try {
    const repository = await openForWriting(store, memory, cache, emit, NO_ABORT);
    const imported = await importArchives(
      { install: 'openclaw', brands: BRANDS, scratch: machine.scratch, tool: 'test', ...request },
      { repository, clock: systemClock, random: systemRandom, emit, run: runProcess },
      NO_ABORT,
    );
    return { ...imported, events };
  } finally {
    cache.close();
  }
}

export async function newestSnapshot(engine: Engine): Promise<SnapshotReader> {
  const reader = await openReader(engine.store);
  const chosen = (await listAll(reader)).at(-1);
  if (chosen === undefined) throw new Error('there is no snapshot');
  return openSnapshot(reader, chosen, () => undefined, NO_ABORT);
}

/** Every file of a root with its content. */
export async function contentsOf(
  snapshot: SnapshotReader,
  rootName: string,
): Promise<Map<string, Buffer>> {
  const root = snapshot.body.roots.find((one) => one.name === rootName);
  if (root === undefined) throw new Error(`there is no root ${rootName}`);
  const contents = new Map<string, Buffer>();
  for await (const entry of snapshot.entries(root)) {
    if (entry.type !== 'file') continue;
    const pieces: Buffer[] = [];
    for await (const piece of snapshot.file(entry)) pieces.push(piece);
    contents.set(entry.path, Buffer.concat(pieces));
  }
  return contents;
}
