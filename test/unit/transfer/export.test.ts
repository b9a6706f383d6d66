import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { writeArchive } from '../../../src/fs/archive-file.ts';
import type { SnapshotReader } from '../../../src/repository/snapshot-reader.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { exportSnapshot } from '../../../src/transfer/export.ts';
import { damageFile } from '../../support/damage.ts';
import {
  engineFolder,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  type Engine,
} from '../../support/engine.ts';
import { noise } from '../../support/tree.ts';
import { contentsOf, forget, importInto, newestSnapshot, oldSample, tar } from './imports.ts';

async function exportTo(engine: Engine, file: string, path?: string) {
  const reader = await newestSnapshot(engine);
  const deps = { repository: await openReader(engine.store), emit: () => undefined };
  return writeArchive(bytePathFromText(file), (output) =>
    exportSnapshot({ reader, path }, output, deps, NO_ABORT),
  );
}

function unpack(file: string, into: string): void {
  mkdirSync(into, { recursive: true });
  const ran = spawnSync('tar', ['-xpf', file, '-C', into], { encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
}

describe('export', () => {
  test('what comes out of tar is the tree that went in', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    await pushTree(engine.store, engine.machine, sample.workspace);
    const totals = await exportTo(engine, `${folder}/out.tar`);
    assert.equal(statSync(`${folder}/out.tar`).mode & 0o777, 0o600);
    unpack(`${folder}/out.tar`, `${folder}/out`);
    const compared = spawnSync('diff', [
      '-r',
      '--no-dereference',
      sample.workspace,
      `${folder}/out/state`,
    ]);
    assert.equal(compared.status, 0, compared.stdout.toString());
    const snapshot = await newestSnapshot(engine);
    assert.equal(totals.files, snapshot.cover.cover.files);
    assert.equal(totals.bytes, snapshot.cover.cover.bytes);
  });

  test('one subtree, one file, and a path that is not there', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = `${folder}/tree`;
    mkdirSync(`${tree}/a/b`, { recursive: true });
    mkdirSync(`${tree}/a-b`);
    writeFileSync(`${tree}/a/b/one`, '1');
    writeFileSync(`${tree}/a-b/two`, '22');
    await pushTree(engine.store, engine.machine, tree);
    assert.deepEqual(await exportTo(engine, `${folder}/a.tar`, 'state/a'), { files: 1, bytes: 1 });
    unpack(`${folder}/a.tar`, `${folder}/a`);
    assert.deepEqual(readdirSync(`${folder}/a/state`), ['a']);
    const one = await exportTo(engine, `${folder}/two.tar`, 'state/a-b/two');
    assert.deepEqual(one, { files: 1, bytes: 2 });
    const missing = `${folder}/missing.tar`;
    await assert.rejects(exportTo(engine, missing, 'state/none'), { code: 'path-not-found' });
    await assert.rejects(exportTo(engine, missing, 'none'), { code: 'path-not-found' });
    assert.ok(!readdirSync(folder).includes('missing.tar'), 'no empty archive is left');
    await assert.rejects(exportTo(engine, `${folder}/a.tar`), { code: 'usage' });
  });

  test('a hard link out of the part becomes the file itself, once', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = `${folder}/tree`;
    mkdirSync(`${tree}/a`, { recursive: true });
    mkdirSync(`${tree}/b`);
    writeFileSync(`${tree}/a/first`, 'shared');
    linkSync(`${tree}/a/first`, `${tree}/b/second`);
    linkSync(`${tree}/a/first`, `${tree}/b/third`);
    await pushTree(engine.store, engine.machine, tree);
    assert.deepEqual(await exportTo(engine, `${folder}/b.tar`, 'state/b'), { files: 1, bytes: 6 });
    unpack(`${folder}/b.tar`, `${folder}/b`);
    assert.equal(readFileSync(`${folder}/b/state/b/third`, 'utf8'), 'shared');
    assert.equal(statSync(`${folder}/b/state/b/second`).nlink, 2);
  });

  test('files of several lots, and content that lies in many packs', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = `${folder}/tree`;
    mkdirSync(tree);
    const large = noise(1, 9_500_001);
    writeFileSync(`${tree}/large`, large);
    writeFileSync(`${tree}/larger`, Buffer.concat([large, large]));
    for (let number = 0; number < 1100; number++) {
      writeFileSync(`${tree}/small-${number}`, noise(number, number % 50));
    }
    await pushTree(engine.store, engine.machine, tree);
    const reader = await newestSnapshot(engine);
    assert.ok(reader.packs.length > 8, 'there are many packs');
    await exportTo(engine, `${folder}/out.tar`);
    unpack(`${folder}/out.tar`, `${folder}/out`);
    const compared = spawnSync('diff', ['-r', tree, `${folder}/out/state`], { encoding: 'utf8' });
    assert.equal(compared.status, 0, compared.stdout);
  });

  test('one that ends early leaves no request under way', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = `${folder}/tree`;
    mkdirSync(tree);
    for (let number = 0; number < 20; number++) {
      writeFileSync(`${tree}/file-${number}`, noise(number, 1_000_000));
    }
    await pushTree(engine.store, engine.machine, tree);
    const reader = await newestSnapshot(engine);
    const asked = { underWay: 0, all: 0 };
    const slow: ObjectStore = {
      ...engine.store,
      async getInto(name, range, into, signal) {
        asked.underWay += 1;
        asked.all += 1;
        try {
          await setTimeout(20);
          return await engine.store.getInto(name, range, into, signal);
        } finally {
          asked.underWay -= 1;
        }
      },
    };
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(new Error('nobody reads on')),
    });
    const deps = { repository: await openReader(slow), emit: () => undefined };
    await assert.rejects(exportSnapshot({ reader }, output, deps, NO_ABORT), /nobody reads on/);
    assert.ok(asked.all > 1, 'it was read ahead');
    assert.equal(asked.underWay, 0);
  });

  test('a chunk that is not where it is read ahead is looked for once more, alone', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = `${folder}/tree`;
    mkdirSync(tree);
    const content = noise(2, 700_000);
    writeFileSync(`${tree}/file`, content);
    await pushTree(engine.store, engine.machine, tree);
    const repository = await openReader(engine.store);
    const reader = await newestSnapshot(engine);
    await damageFile(repository, reader.cover, 'state/file');
    await assert.rejects(exportTo(engine, `${folder}/lost.tar`), { code: 'object-damaged' });
    assert.ok(!readdirSync(folder).includes('lost.tar'));
    const alone: number[] = [];
    const found: SnapshotReader = {
      ...reader,
      chunk: async ({ chunkBytes }, number) => {
        alone.push(number);
        return content.subarray(number * chunkBytes, (number + 1) * chunkBytes);
      },
    };
    const deps = { repository, emit: () => undefined };
    await writeArchive(bytePathFromText(`${folder}/out.tar`), (output) =>
      exportSnapshot({ reader: found }, output, deps, NO_ABORT),
    );
    assert.deepEqual(alone, [0]);
    unpack(`${folder}/out.tar`, `${folder}/out`);
    assert.ok(readFileSync(`${folder}/out/state/file`).equals(content));
  });

  test('an output that breaks is an error, not a hang', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const tree = `${folder}/tree`;
    mkdirSync(tree);
    writeFileSync(`${tree}/large`, Buffer.alloc(4_000_000, 7));
    await pushTree(engine.store, engine.machine, tree);
    const reader = await newestSnapshot(engine);
    let written = 0;
    const full = new Writable({
      write(piece: Buffer, _encoding, done) {
        written += piece.length;
        done(written < 1_000_000 ? null : Object.assign(new Error('full'), { code: 'ENOSPC' }));
      },
    });
    const deps = { repository: await openReader(engine.store), emit: () => undefined };
    await assert.rejects(exportSnapshot({ reader }, full, deps, NO_ABORT), { code: 'no-space' });
  });

  test('an export comes back by import, and needs to be told nothing', async (context) => {
    const folder = engineFolder(context);
    const engine = await makeEngine(folder);
    const sample = oldSample(folder);
    tar(sample.home, '-czf', `${folder}/all.tgz`, '.openclaw', 'projects');
    forget(sample);
    await importInto(engine, { archives: [`${folder}/all.tgz`] });
    const before = await newestSnapshot(engine);
    await exportTo(engine, `${folder}/export.tar`);
    const imported = await importInto(engine, { archives: [`${folder}/export.tar`] });
    assert.equal(imported.home, sample.home);
    const stored = imported.bytesStored / imported.bytes;
    assert.ok(stored < 0.02, `the same content is the same chunks, but ${stored} was stored again`);
    const after = await newestSnapshot(engine);
    assert.notEqual(after.cover.id, before.cover.id);
    const roots = (snapshot: typeof before) =>
      snapshot.body.roots.map(({ name, kind, path, files }) => ({ name, kind, path, files }));
    assert.deepEqual(roots(after), roots(before));
    assert.deepEqual(await contentsOf(after, 'workspace'), await contentsOf(before, 'workspace'));
  });
});
