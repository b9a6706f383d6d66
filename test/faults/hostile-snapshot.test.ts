/** Snapshots made with valid keys by somebody who means harm: nothing outside the stage is ever touched. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tmpdir } from 'node:os';
import { asBytePath } from '../../src/base/byte-path.ts';
import { ByteWriter } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import { CHUNK_KINDS } from '../../src/crypto/chunk-id.ts';
import { depthFor, topIdCount, type Entry } from '../../src/format/entry.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import { listAll, makeEngine, openReader, restoreTo, type Engine } from '../support/engine.ts';
import { forger, type Forger } from '../support/engine-forge.ts';
import { scanTree } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'stateferry-hostile-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let engine: Engine;
let reader: ReaderRepository;
before(async () => {
  engine = await makeEngine(folder);
  reader = await openReader(engine.store);
});

const base = (path: string): Omit<Entry & { type: 'dir' }, 'type'> => ({
  path: asBytePath(path),
  mode: 0o755,
  uid: 0,
  gid: 0,
  owner: '',
  group: '',
  mtimeNs: 1_700_000_000_000_000_001n,
});
const dir = (path: string): Entry => ({ ...base(path), type: 'dir' });
const symlink = (path: string, target: string): Entry => ({
  ...base(path),
  type: 'symlink',
  target: asBytePath(target),
});
const hardlink = (path: string, target: string): Entry => ({
  ...base(path),
  type: 'hardlink',
  target: asBytePath(target),
});
const CONTENT = Buffer.from('from the snapshot');
function file(make: Forger, path: string, more: Partial<Entry & { type: 'file' }> = {}): Entry {
  return {
    ...base(path),
    type: 'file',
    size: CONTENT.length,
    sparse: false,
    secret: false,
    database: false,
    chunkBytes: 256 * 1024,
    depth: 0,
    ids: make.chunk(CHUNK_KINDS.data, CONTENT),
    ...more,
  };
}

type Refused = { readonly code: string; readonly says?: RegExp };
type Case = { readonly page: (make: Forger) => Buffer; readonly refused: Refused };

/** A tree with one bad thing in it, between good ones. */
const withEntry =
  (...bad: ((make: Forger) => Entry | Uint8Array)[]) =>
  (make: Forger): Buffer =>
    make.leaf([dir(''), ...bad.map((one) => one(make))]);

/** An entry written byte by byte, for what `encodeEntry` cannot say. */
function raw(path: string, type: number, rest: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  writer.u16(path.length).latin1(path).u8(type).u8(0).u16(0o644).u32(0).u32(0).u8(0).u8(0).i64(0n);
  rest(writer);
  return writer.take();
}

const unsafe = { code: 'target-unsafe' };
const damaged = { code: 'object-damaged' };

const CASES: Readonly<Record<string, Case>> = {
  'a name ..': { page: withEntry((make) => file(make, '..')), refused: unsafe },
  'a path that climbs': { page: withEntry((make) => file(make, '../escaped')), refused: unsafe },
  'a path that climbs in its middle': {
    page: withEntry((make) => file(make, 'a/../../escaped')),
    refused: unsafe,
  },
  'an absolute path': {
    page: withEntry((make) => file(make, join(folder, 'jail/escaped'))),
    refused: unsafe,
  },
  'a name with a NUL': { page: withEntry((make) => file(make, 'a\0b')), refused: unsafe },
  'an empty component': { page: withEntry((make) => file(make, 'a//b')), refused: unsafe },
  'a component .': { page: withEntry((make) => file(make, './b')), refused: unsafe },
  'a component of 256 bytes': {
    page: withEntry((make) => file(make, 'n'.repeat(256))),
    refused: unsafe,
  },
  'a directory that climbs': { page: withEntry(() => dir('../made')), refused: unsafe },
  'a link, then a file through it': {
    page: withEntry(
      () => symlink('door', '../outside'),
      (make) => file(make, 'door/escaped'),
    ),
    refused: unsafe,
  },
  'a link, then a directory through it': {
    page: withEntry(
      () => symlink('door', '../outside'),
      () => dir('door/made'),
    ),
    refused: unsafe,
  },
  'a link, then a link through it': {
    page: withEntry(
      () => symlink('door', '../outside'),
      () => symlink('door/made', 'x'),
    ),
    refused: unsafe,
  },
  'a hard link that climbs': {
    page: withEntry(() => hardlink('stolen', '../outside/canary')),
    refused: unsafe,
  },
  'a hard link through a link': {
    page: withEntry(
      () => symlink('door', '../outside'),
      () => hardlink('stolen', 'door/canary'),
    ),
    refused: unsafe,
  },
  'a hard link to a link': {
    page: withEntry(
      () => symlink('door', '../outside/canary'),
      () => hardlink('stolen', 'door'),
    ),
    refused: unsafe,
  },
  'a hard link to a directory': {
    page: withEntry(
      () => dir('a'),
      () => hardlink('stolen', 'a'),
    ),
    refused: unsafe,
  },
  'a hard link to nothing': {
    page: withEntry(() => hardlink('stolen', 'nothing')),
    refused: { code: 'file-write' },
  },
  'a link that points nowhere': { page: withEntry(() => symlink('l', '')), refused: unsafe },
  'a link with a NUL': { page: withEntry(() => symlink('l', 'a\0b')), refused: unsafe },
  'a file, then a file below it': {
    page: withEntry(
      (make) => file(make, 'a'),
      (make) => file(make, 'a/b'),
    ),
    refused: unsafe,
  },
  'a link instead of the root': {
    page: (make) => make.leaf([symlink('', '../outside')]),
    refused: unsafe,
  },
  'a block device': { page: withEntry(() => raw('dev', 5, () => {})), refused: damaged },
  'a character device': { page: withEntry(() => raw('dev', 6, () => {})), refused: damaged },
  'a size of 2^60': {
    page: withEntry(() =>
      raw('big', 2, (w) =>
        w
          .i64(2n ** 60n)
          .u8(18)
          .u8(0)
          .u32(0),
      ),
    ),
    refused: damaged,
  },
  'a size of 2^52': {
    page: withEntry(() =>
      raw('big', 2, (w) =>
        w
          .u64(2 ** 52)
          .u8(18)
          .u8(0)
          .u32(0),
      ),
    ),
    refused: damaged,
  },
  'as many ids as no memory holds': {
    page: withEntry(() =>
      raw('big', 2, (w) =>
        w
          .u64(2 ** 47)
          .u8(12)
          .u8(4)
          .u32(0xffffffff),
      ),
    ),
    refused: damaged,
  },
  'a page that says it has a million entries': {
    page: (make) => {
      const writer = new ByteWriter()
        .u8(0)
        .u32(1_000_000)
        .bytes(raw('', 1, () => {}));
      return make.chunk(CHUNK_KINDS.page, writer.take());
    },
    refused: damaged,
  },
  'a page that is too large': {
    page: (make) => {
      const entries = Array.from({ length: 8000 }, (_, at) =>
        dir(`d${String(at).padStart(9, '0')}`),
      );
      return make.leaf([dir(''), ...entries]);
    },
    refused: damaged,
  },
  'the same path twice': {
    page: withEntry(
      (make) => file(make, 'a'),
      (make) => file(make, 'a'),
    ),
    refused: damaged,
  },
  'the same path twice, on two pages': {
    page: (make) =>
      make.above(1, [
        { firstPath: '', id: make.leaf([dir(''), file(make, 'a'), symlink('b', '../outside')]) },
        { firstPath: 'a', id: make.leaf([file(make, 'a')]) },
      ]),
    refused: damaged,
  },
  'a page that begins elsewhere than its parent says': {
    page: (make) => make.above(1, [{ firstPath: 'x', id: make.leaf([dir('')]) }]),
    refused: damaged,
  },
  'pages that name each other without end': {
    page: (make) => {
      let id = make.leaf([dir('')]);
      for (let level = 1; level <= 8; level++) {
        const twice = Array.from({ length: 2000 }, (_, at) => ({ firstPath: `${at + 1e6}`, id }));
        id = make.above(level, twice);
      }
      return id;
    },
    refused: damaged,
  },
  'empty pages without end': {
    page: (make) => {
      let id = make.leaf([]);
      for (let level = 1; level <= 8; level++) {
        const twice = Array.from({ length: 2000 }, (_, at) => ({ firstPath: `${at + 1e6}`, id }));
        id = make.above(level, twice);
      }
      return id;
    },
    refused: damaged,
  },
  'a tree that is higher than any': {
    page: (make) => make.above(9, [{ firstPath: '', id: make.leaf([dir('')]) }]),
    refused: damaged,
  },
  'a file as its own page': {
    page: (make) => make.chunk(CHUNK_KINDS.data, CONTENT),
    refused: damaged,
  },
  'directories deeper than a path can be': {
    page: (make) => {
      const paths = Array.from({ length: 2040 }, (_, at) => 'd/'.repeat(at) + 'd');
      let id: Buffer | undefined;
      const pages = [];
      for (let at = 0; at < paths.length; at += 60) {
        const entries = paths.slice(at, at + 60).map(dir);
        id = make.leaf(at === 0 ? [dir(''), ...entries] : entries);
        pages.push({ firstPath: at === 0 ? '' : (paths[at] ?? ''), id });
      }
      return make.above(1, pages);
    },
    refused: { code: 'file-write' },
  },
};

for (const [what, { page, refused }] of Object.entries(CASES)) {
  test(`${what} is refused`, async () => {
    const { stage, jail } = makeJail();
    const untouched = outsideOf(jail);
    const error = await restoreForged(page, stage).then(
      ({ problems }) => assert.fail(`it was restored, with ${problems.length} problems`),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof FerryError, String(error));
    assert.equal(error.code, refused.code, error.message);
    assert.deepEqual(outsideOf(jail), untouched);
  });
}

test('a file of 2^47 bytes is lost before anything is allocated for it', async () => {
  const { stage, jail } = makeJail();
  const untouched = outsideOf(jail);
  const size = 2 ** 47;
  const depth = depthFor(size, 4096);
  const count = topIdCount(size, 4096, depth);
  const ids = Buffer.alloc(32 * count, 7);
  const restored = await restoreForged(
    withEntry((make) => file(make, 'big', { size, chunkBytes: 4096, depth, ids })),
    stage,
  );
  assert.equal(restored.problems.length, 1);
  assert.deepEqual([...scanTree(stage).keys()], ['']);
  assert.deepEqual(outsideOf(jail), untouched);
});

test('a chunk of another length than its place is not written', async () => {
  const { stage } = makeJail();
  const restored = await restoreForged(
    withEntry((make) => file(make, 'short', { size: CONTENT.length + 5 })),
    stage,
  );
  assert.deepEqual(restored.problems, [{ path: 'state/short', code: 'object-damaged' }]);
  assert.deepEqual([...scanTree(stage).keys()], ['']);
});

test('setuid and setgid of files are dropped, and a link that leads outside is only a link', async () => {
  const { stage, jail } = makeJail();
  const untouched = outsideOf(jail);
  await restoreForged(
    withEntry(
      () => symlink('door', '../outside/canary'),
      (make) => file(make, 'su', { mode: 0o6755 }),
    ),
    stage,
  );
  assert.equal(lstatSync(join(stage, 'su')).mode & 0o7777, 0o755);
  assert.ok(lstatSync(join(stage, 'door')).isSymbolicLink());
  assert.deepEqual(outsideOf(jail), untouched);
});

let jails = 0;
let sequence = 0;

function makeJail(): { jail: string; stage: string } {
  const jail = join(folder, `jail-${++jails}`);
  mkdirSync(join(jail, 'outside'), { recursive: true });
  writeFileSync(join(jail, 'outside/canary'), 'sings');
  return { jail, stage: join(jail, 'stage') };
}

function outsideOf(jail: string): Map<string, unknown> {
  const seen = new Map<string, unknown>(scanTree(jail));
  for (const name of seen.keys()) {
    // The stage itself comes into being beside the canary, which changes the folder's time.
    if (name === '' || name === 'stage' || name.startsWith('stage/')) seen.delete(name);
  }
  return seen;
}

async function restoreForged(
  page: (make: Forger) => Buffer,
  stage: string,
): Promise<Awaited<ReturnType<typeof restoreTo>>> {
  const make = forger(engine.store, engine.machine, ++sequence);
  const id = await make.commit(page(make));
  const forged = (await listAll(reader)).find((one) => one.id === id);
  assert.ok(forged, 'a forged snapshot with valid keys is listed');
  return await restoreTo(reader, forged, stage);
}
