import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { asBytePath, bytePathFromText } from '../../../src/base/byte-path.ts';
import { FerryError } from '../../../src/base/errors.ts';
import { createPlacer } from '../../../src/fs/place.ts';
import { captureSqlite } from '../../../src/fs/sqlite-capture.ts';
import { writeFileDurable } from '../../../src/fs/sync.ts';
import { readEnvironment } from '../../../src/settings/environment.ts';
import { createSecretFile } from '../../../src/settings/secret-files.ts';
import { ring } from '../../support/rings.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';

const base = mkdtempSync(join(tmpdir(), 'stateferry-full-'));
const small = mountSmallDisk(join(base, 'disk'), 'size=128k');
const disk = small.path;
after(() => {
  small.unmount();
  rmSync(base, { recursive: true, force: true });
});

ring('small-disk', small.absent, () => {
  test('a capture into a full folder names the folder and leaves nothing in it', async () => {
    const source = join(base, 'big.db');
    makeDatabase(source);
    const temp = join(disk, 'temp');
    mkdirSync(temp);
    await assert.rejects(
      captureSqlite(bytePathFromText(source), bytePathFromText(join(temp, 'copy.db'))),
      isNoSpaceIn(temp),
    );
    assert.deepEqual(readdirSync(temp), []);
    // The same where the files are copied: a -wal without -shm.
    writeFileSync(`${source}-wal`, '');
    await assert.rejects(
      captureSqlite(bytePathFromText(source), bytePathFromText(join(temp, 'copy.db'))),
      isNoSpaceIn(temp),
    );
    assert.deepEqual(readdirSync(temp), []);
  });

  test('a stage on a full disk is named', () => {
    const stage = join(disk, 'stage');
    const placer = createPlacer({ stage: bytePathFromText(stage), setIdAllowed: false });
    const bytes = Buffer.alloc(512 * 1024, 1);
    assert.throws(
      () => placer.placeFile(asBytePath('big'), bytes, { mode: 0o600 }),
      isNoSpaceIn(stage),
    );
    rmSync(join(stage, 'big'));
    assert.throws(() => placer.writeChunk(asBytePath('more'), 0, bytes, false), isNoSpaceIn(stage));
    placer.close();
    rmSync(stage, { recursive: true });
  });

  test('a file for a secret has its room from the start', () => {
    const environment = { workingFolder: disk, actsForOther: false } as const;
    const open = (name: string) =>
      createSecretFile(name, '--ticket-file', { ...readEnvironment(undefined), ...environment });
    const file = open('ticket');
    const filled = join(disk, 'filled');
    assert.throws(() => writeFileSync(filled, Buffer.alloc(256 * 1024)));
    assert.throws(() => open('another'), isNoSpaceIn(join(disk, 'another')));
    assert.ok(!readdirSync(disk).includes('another'));
    file.write('sft1\n');
    assert.equal(readFileSync(join(disk, 'ticket'), 'utf8'), 'sft1\n');
    rmSync(filled);
    rmSync(join(disk, 'ticket'));
  });

  test('settings on a full disk keep what they were', () => {
    const path = join(disk, 'settings.json');
    writeFileDurable(bytePathFromText(path), 'old');
    assert.throws(
      () => writeFileDurable(bytePathFromText(path), Buffer.alloc(512 * 1024)),
      isNoSpaceIn(disk),
    );
    assert.deepEqual(
      readdirSync(disk).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});

function makeDatabase(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE t (x); BEGIN');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  for (let row = 0; row < 1_000; row++) insert.run('x'.repeat(1_000));
  database.exec('COMMIT');
  database.close();
}

const isNoSpaceIn =
  (folder: string) =>
  (error: unknown): boolean =>
    error instanceof FerryError && error.code === 'no-space' && error.message.includes(folder);
