/** Deleting many objects in one request: each name by its own answer, and one by one where a server has none of it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { sweep } from '../../src/maintenance/prune/sweep.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { withRetries } from '../../src/store/open-store.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import { startS3Double, type DoubleOptions, type S3Double } from '../support/s3-double.ts';
import { listAll } from './store-contract.ts';

const never = new AbortController().signal;
const names = Array.from({ length: 5 }, (_, at) => `packs/${at}`);
const objects = names.map((name) => ({ name, size: 1, modifiedMs: 0 }));

type Scene = { readonly server: S3Double; readonly store: ObjectStore };

async function sceneOf(context: TestContext, options: DoubleOptions): Promise<Scene> {
  const server = await startS3Double(options);
  const bare = await openS3Store({
    bucket: server.bucketName,
    prefix: 'some/prefix',
    endpoint: server.url,
    region: server.region,
    uploadChecksum: 'md5',
    credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
  });
  const clock = { sleep: () => Promise.resolve() };
  const store = withRetries(bare, { emit: () => undefined, clock });
  context.after(async () => {
    await store.close();
    await server.close();
  });
  for (const name of names) await store.put(name, new Uint8Array(1), {}, never);
  return { server, store };
}

const askedOf = ({ server }: Scene, operation: string): number =>
  server.requests.filter((one) => one.operation === operation).length;

async function sweepAll(scene: Scene): Promise<string[]> {
  const nowMs = await scene.store.dateMs(never);
  const { deleted, refused, left } = await sweep(scene.store, objects, nowMs, never);
  assert.deepEqual([refused, left, await listAll(scene.store, 'packs/')], [[], [], []]);
  return deleted.map(({ name }) => name).toSorted();
}

for (const profile of ['aws', 'ceph', 'lax'] as const) {
  test(`${profile}: one request for all`, async (context) => {
    const scene = await sceneOf(context, { profile });
    assert.deepEqual(await sweepAll(scene), names);
    assert.deepEqual([askedOf(scene, 'delete-many'), askedOf(scene, 'delete')], [1, 0]);
  });
}

test('what was refused, or not answered for, is asked for by itself', async (context) => {
  const faults = [{ kind: 'denied-some', operation: 'delete-many' }] as const;
  const scene = await sceneOf(context, { profile: 'aws', faults });
  assert.deepEqual(await sweepAll(scene), names);
  assert.deepEqual([askedOf(scene, 'delete-many'), askedOf(scene, 'delete')], [1, 2]);
});

test('a server that has none of it is asked once, and then for each', async (context) => {
  const scene = await sceneOf(context, { profile: 'swift' });
  assert.deepEqual(await sweepAll(scene), names);
  assert.deepEqual(await scene.store.deleteMany?.(names, never), new Set());
  assert.deepEqual([askedOf(scene, 'delete-many'), askedOf(scene, 'delete')], [1, names.length]);
});

test('an answer that was lost is asked for again', async (context) => {
  const faults = [{ kind: 'reset-after', operation: 'delete-many' }] as const;
  const scene = await sceneOf(context, { profile: 'aws', faults });
  assert.deepEqual(await sweepAll(scene), names);
  assert.deepEqual([askedOf(scene, 'delete-many'), askedOf(scene, 'delete')], [2, 0]);
});
