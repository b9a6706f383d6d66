import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { asBytePath, bytePathFromText } from '../../../src/base/byte-path.ts';
import { CHUNK_KINDS, chunkId, chunkIdKey } from '../../../src/crypto/chunk-id.ts';
import { SEALED_HEADER_BYTES } from '../../../src/format/header.ts';
import { visitDirectory } from '../../../src/format/pack.ts';
import { ChunkTable } from '../../../src/workers/chunk-table.ts';
import type { RestorePack } from '../../../src/workers/messages.ts';
import { PackBuilder, type BuiltPack } from '../../../src/workers/pack-builder.ts';
import { PackPool } from '../../../src/workers/pack-pool.ts';
import { RestoreTask, type RestoreFile } from '../../../src/workers/restore-task.ts';
import { noise } from '../../support/tree.ts';
import { tempDir } from '../fs/temp-dir.ts';

const PAGE = 16 * 1024;
const ID_KEY = noise(1, 32);
const OBJECT_KEY = { key: noise(2, 32), headerHash: noise(3, 32) };

/** Some compress and some do not; one is all zero. */
const PAGES = Array.from({ length: 300 }, (_, at) => {
  if (at === 7) return Buffer.alloc(PAGE);
  return at % 40 < 4
    ? noise(at, PAGE)
    : Buffer.concat([noise(at, 2048), Buffer.alloc(PAGE - 2048)]);
});

test('pages that follow each other are written together', (context) => {
  const { stage, task, packFor } = scene(context);
  const { failures, bytes, verified } = task.restore(packFor('forward'));
  assert.deepEqual(failures, []);
  assert.equal(bytes, PAGES.length * PAGE);
  assert.ok(verified.every((one) => one === 1));
  assert.ok(readFileSync(join(stage, 'forward')).equals(Buffer.concat(PAGES)));
});

test('pages are written wherever they are wanted, in any order', (context) => {
  const { stage, task, packFor } = scene(context);
  assert.deepEqual(task.restore(packFor('forward', 'backward', 'sparse')).failures, []);
  assert.deepEqual(task.restore(packFor('backward again')).failures, []);
  const read = (name: string): Buffer => readFileSync(join(stage, name));
  assert.ok(read('forward').equals(Buffer.concat(PAGES)));
  assert.ok(read('backward').equals(Buffer.concat(PAGES.toReversed())));
  assert.ok(read('backward again').equals(read('backward')));
  assert.ok(read('sparse').equals(read('forward')));
  const blocks = (name: string): number => statSync(join(stage, name)).blocks;
  assert.ok(blocks('sparse') <= blocks('forward') - PAGE / 512, 'zeros are left out');
});

test('a frame that does not open takes only its own pages along', (context) => {
  const { stage, task, packFor, pool, frames } = scene(context);
  assert.ok(frames.length > 2, 'there are several frames');
  const [, second = 0] = frames;
  const sealed = pool.bytes(0);
  sealed[second + 5] = (sealed[second + 5] ?? 0) ^ 1;
  const { failures, verified } = task.restore(packFor('forward'));
  const lost = new Set(failures.map(({ wanted }) => wanted));
  assert.equal(lost.size, verified.filter((one) => one === 0).length);
  assert.ok(lost.size > 0 && lost.size < PAGES.length);
  const found = readFileSync(join(stage, 'forward'));
  for (const [at, page] of PAGES.entries()) {
    const there = found.subarray(at * PAGE, (at + 1) * PAGE);
    assert.equal(there.equals(page), !lost.has(at), `page ${at}`);
  }
});

/** One pack of all pages, and who wants them. */
function scene(context: TestContext): {
  stage: string;
  task: RestoreTask;
  packFor: (...names: string[]) => RestorePack;
  pool: PackPool;
  frames: number[];
} {
  const pool = PackPool.create(1, 4 * 1024 * 1024);
  pool.freeAs(0, { header: noise(4, SEALED_HEADER_BYTES), objectKey: OBJECT_KEY, ordinal: 0 });
  const key = chunkIdKey(ID_KEY);
  const ids = PAGES.map((page) => chunkId(key, CHUNK_KINDS.data, page));
  const { directory } = built(pool, ids);
  const stage = join(tempDir(context), 'stage');
  const stages = [{ stage: bytePathFromText(stage) }];
  const task = new RestoreTask({
    pool: pool.shared,
    chunkIdKey: ID_KEY,
    stages,
    setIdAllowed: false,
  });
  context.after(() => task.finish());
  const frames: number[] = [];
  visitDirectory(directory, SEALED_HEADER_BYTES, 'a pack', {
    frame: (_number, offset) => void frames.push(offset),
  });
  const forward = [...PAGES.keys()];
  const packFor = (...names: string[]): RestorePack => ({
    name: 'a pack',
    buffer: 0,
    objectKey: OBJECT_KEY,
    directory,
    wantedIds: Buffer.concat(names.flatMap(() => ids)),
    wantedFiles: Uint32Array.from(names.flatMap((_, file) => ids.map(() => file))),
    wantedChunks: Uint32Array.from(
      names.flatMap((name) => (name.startsWith('backward') ? forward.toReversed() : forward)),
    ),
    files: new Map(names.map(fileOf).entries()),
  });
  return { stage, task, packFor, pool, frames };
}

const fileOf = (name: string): RestoreFile => ({
  stage: 0,
  path: asBytePath(name),
  size: PAGES.length * PAGE,
  chunkBytes: PAGE,
  sparse: name === 'sparse',
  attributes: { mode: 0o600 },
});

function built(pool: PackPool, ids: readonly Buffer[]): BuiltPack {
  const packs: BuiltPack[] = [];
  const table = ChunkTable.create(PAGES.length);
  const builder = new PackBuilder(pool, table, (pack) => void packs.push(pack));
  for (const [at, id] of ids.entries()) {
    builder.addSingle(id, ~table.claim(id), PAGES[at] ?? Buffer.alloc(0), true);
  }
  builder.finish();
  const [pack] = packs;
  assert.ok(pack && packs.length === 1, 'one pack holds them all');
  return pack;
}
