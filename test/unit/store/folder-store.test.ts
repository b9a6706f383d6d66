import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { folderError } from '../../../src/store/folder-errors.ts';
import { openFolderStore } from '../../../src/store/folder-store.ts';
import { listAll, rejectsWith } from '../../contract/store-contract.ts';
import { asNobody } from '../../support/nobody.ts';
import { ring } from '../../support/rings.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';

const never = new AbortController().signal;
const body = Buffer.from('body');

async function newRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'ferry-folder-'));
  after(() => rm(root, { recursive: true, force: true }));
  return root;
}

describe('folder store', () => {
  test('folders are 0700 and files 0600, whatever the umask', async () => {
    const root = join(await newRoot(), 'new');
    const store = await openFolderStore(root, { createRoot: true });
    await store.put('packs/w/a', body, {}, never);
    for (const folder of [root, join(root, 'packs'), join(root, 'packs/w')]) {
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
    }
    assert.equal((await stat(join(root, 'packs/w/a'))).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(root, 'packs/w')), ['a']);
  });

  test('made alone it lies in a folder that is there: a disk that is not connected is not made up', async () => {
    const disk = join(await newRoot(), 'disk');
    await rejectsWith('repository-missing', openFolderStore(join(disk, 'x'), { createRoot: true }));
    await mkdir(disk);
    for (let time = 0; time < 2; time++) {
      const store = await openFolderStore(join(disk, 'x'), { createRoot: true });
      await store.put(`a${time}`, body, {}, never);
    }
    assert.deepEqual((await readdir(join(disk, 'x'))).toSorted(), ['a0', 'a1']);
  });

  test('a missing root is repository-missing for everything, and is not made', async () => {
    const root = join(await newRoot(), 'missing');
    const store = await openFolderStore(root);
    await rejectsWith('repository-missing', store.put('a/b', body, {}, never));
    await rejectsWith('repository-missing', store.put('a', body, { createOnly: true }, never));
    await rejectsWith('repository-missing', store.get('a', undefined, never));
    await rejectsWith('repository-missing', store.stat('a', never));
    await rejectsWith('repository-missing', store.delete('a', never));
    await rejectsWith('repository-missing', store.dateMs(never));
    await rejectsWith('repository-missing', listAll(store, ''));
    await rejectsWith('repository-missing', listAll(store, 'packs/'));
    await assert.rejects(stat(root));
    await writeFile(root, 'a file');
    await rejectsWith('repository-missing', store.get('a', undefined, never));
  });

  test('leftovers of killed writers are no objects, and go when they are a day old', async () => {
    const root = await newRoot();
    await mkdir(join(root, 'packs'));
    const old = join(root, 'packs/.tmp-0000');
    await writeFile(old, 'half');
    await writeFile(join(root, 'packs/.tmp-1111'), 'half');
    await utimes(old, 1_600_000_000, 1_600_000_000);
    const store = await openFolderStore(root);
    assert.deepEqual(await listAll(store, ''), []);
    await store.put('packs/a', body, {}, never);
    assert.deepEqual((await readdir(join(root, 'packs'))).sort(), ['.tmp-1111', 'a']);
  });

  test('planted links and pipes are damaged objects, not read and not waited for', async () => {
    const root = await newRoot();
    await symlink('/etc/hostname', join(root, 'link'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const store = await openFolderStore(root);
    await rejectsWith('object-damaged', store.get('link', undefined, never));
    await rejectsWith('object-damaged', store.get('pipe', undefined, never));
    assert.deepEqual(await listAll(store, ''), []);
  });

  test('a name that is a folder of others is absent', async () => {
    const store = await openFolderStore(await newRoot());
    await store.put('a/b', body, {}, never);
    assert.equal(await store.get('a', undefined, never), undefined);
    assert.equal(await store.get('a/b/c', undefined, never), undefined);
    await store.delete('a/b/c', never);
  });

  test('an abort between the pieces of a body leaves nothing', async () => {
    const root = await newRoot();
    const store = await openFolderStore(root);
    const controller = new AbortController();
    const writing = store.put('big', new Uint8Array(64 * 1024 * 1024), {}, controller.signal);
    controller.abort();
    await rejectsWith('interrupted', writing);
    assert.deepEqual(await readdir(root), []);
  });

  test('what the system says is told apart', () => {
    const codes: Record<string, string> = {
      ENOSPC: 'no-space',
      EDQUOT: 'no-space',
      EACCES: 'store-denied',
      EROFS: 'store-denied',
      EIO: 'store-unreachable',
      ESTALE: 'store-unreachable',
      EMFILE: 'open-files-limit',
      EBUSY: 'store-busy',
      EISDIR: 'store-refused',
    };
    for (const [system, code] of Object.entries(codes)) {
      const error = Object.assign(new Error(system), { code: system });
      assert.equal(folderError(error, '/root', 'put a').code, code);
    }
  });

  test('a folder without write permission is store-denied', async () => {
    const root = await newRoot();
    await chmod(root, 0o555);
    const store = await openFolderStore(root);
    await asNobody(() => rejectsWith('store-denied', store.put('a', body, {}, never)));
    await chmod(root, 0o700);
  });
});

const disk = mountSmallDisk(join(await newRoot(), 'disk'), 'size=1m');
ring('small-disk', disk.absent, () => {
  after(() => disk.unmount());

  test('a full disk is no-space and leaves nothing behind', async () => {
    const store = await openFolderStore(disk.path);
    await store.put('fits', new Uint8Array(300_000), {}, never);
    const large = new Uint8Array(2_000_000);
    await rejectsWith('no-space', store.put('large', large, {}, never));
    await rejectsWith('no-space', store.put('large', large, { createOnly: true }, never));
    assert.deepEqual(await readdir(disk.path), ['fits']);
  });
});
