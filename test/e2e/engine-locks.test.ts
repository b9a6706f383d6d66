/** Object Lock kept up on a server that has it: by version, for what is needed, and no longer than the bucket says. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { FerryError } from '../../src/base/errors.ts';
import { extendLocks, type ExtendedLocks } from '../../src/maintenance/extend-locks.ts';
import { openIdentity } from '../../src/repository/open.ts';
import { lockNewObjects } from '../../src/store/object-lock.ts';
import type { ObjectStore, StoredVersion } from '../../src/store/object-store.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import {
  engineFolder,
  makeEngine,
  NO_ABORT,
  openReader,
  PASSPHRASE,
  pushTree,
  type Engine,
} from '../support/engine.ts';
import { assertAllRestore, namesBelow, runPrune } from '../support/prune-world.ts';
import { nights, runRepack } from '../support/repack-world.ts';
import { ring } from '../support/rings.ts';
import { startVersitygw } from '../support/servers.ts';
import { makeTree } from '../support/tree.ts';

const DAY_MS = 86_400_000;
const DAYS = 10;
const server = await startVersitygw();
after(() => server.stop());

ring('versitygw', server.absent, () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  after(() => client.destroy());

  async function lockedEngine(context: TestContext, bucket: string): Promise<Engine> {
    await client.send(
      new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }),
    );
    const options = { bucket, prefix: 'ferry', endpoint, region, credentials };
    await lockNewObjects(options, DAYS, NO_ABORT);
    const store = await openS3Store(options);
    context.after(() => store.close());
    const folder = engineFolder(context);
    const engine = await makeEngine(folder, store);
    makeTree(join(folder, 'tree'), 1);
    await pushTree(store, engine.machine, join(folder, 'tree'));
    return engine;
  }

  /** As a prune so many days later. */
  async function laterBy(store: ObjectStore, days: number): Promise<ExtendedLocks> {
    const dateMs = async (signal: AbortSignal): Promise<number> =>
      (await store.dateMs(signal)) + days * DAY_MS;
    const reader = await openReader({ ...store, dateMs });
    const deps = { repository: reader, emit: () => undefined };
    return extendLocks({ days: DAYS, ownMs: Infinity, isDryRun: false }, deps, NO_ABORT);
  }

  async function versionsOf({ store }: Engine): Promise<Map<string, StoredVersion>> {
    const versions = new Map<string, StoredVersion>();
    assert.ok(store.retentions);
    for await (const one of store.retentions.firstVersions(NO_ABORT)) versions.set(one.name, one);
    return versions;
  }

  const untilMs = async ({ store }: Engine, one: StoredVersion): Promise<number> =>
    (await store.retentions?.find(one, NO_ABORT))?.untilMs ?? 0;

  test('what is needed is locked anew once half of its time is over, and for no longer', async (context) => {
    const engine = await lockedEngine(context, 'locks-kept');
    const before = await versionsOf(engine);
    assert.ok(before.size >= 7, `${before.size} objects`);
    // This server does not tell of a lock that comes from the bucket's own rule: the first run sets them all.
    await laterBy(engine.store, 0);
    assert.equal((await laterBy(engine.store, 2)).due, 0);

    const stray = `packs/${engine.machine.state.writer.id}/${'ab'.repeat(16)}`;
    await engine.store.put(stray, Buffer.from('needed by no snapshot'), {}, NO_ABORT);
    const extended = await laterBy(engine.store, 6);
    assert.equal(extended.due, before.size);
    assert.deepEqual(extended.refused, []);
    for (const one of before.values()) {
      const keptMs = await untilMs(engine, one);
      assert.ok(Math.abs(keptMs - extended.untilMs) < 1000, one.name);
    }
    const strayVersion = (await versionsOf(engine)).get(stray);
    assert.ok(strayVersion);
    assert.ok((await untilMs(engine, strayVersion)) < extended.untilMs - 5 * DAY_MS);
    // The next one finds nothing to do.
    assert.equal((await laterBy(engine.store, 7)).due, 0);
  });

  test('of a name that somebody stored again, the first version is locked, and it is said', async (context) => {
    const engine = await lockedEngine(context, 'locks-replaced');
    const [pack] = [...(await versionsOf(engine)).keys()].filter((name) =>
      name.startsWith('packs/'),
    );
    assert.ok(pack);
    const first = (await versionsOf(engine)).get(pack);
    const Body = Buffer.from('in its place');
    const input = { Bucket: 'locks-replaced', Key: `ferry/${pack}`, Body };
    const { VersionId } = await client.send(new PutObjectCommand(input));
    const extended = await laterBy(engine.store, 6);
    assert.deepEqual(extended.replaced, [pack]);
    assert.ok(first && VersionId !== undefined && first.version !== VersionId);
    assert.ok(Math.abs((await untilMs(engine, first)) - extended.untilMs) < 1000);
    const other = { ...first, version: VersionId };
    assert.ok((await untilMs(engine, other)) < extended.untilMs - 5 * DAY_MS);
  });

  test('a pack that somebody hid is locked anew, a key that was removed is not', async (context) => {
    const engine = await lockedEngine(context, 'locks-hidden');
    const before = await versionsOf(engine);
    const nameIn = (folder: string): string =>
      [...before.keys()].find((name) => name.startsWith(`${folder}/`)) ?? assert.fail(folder);
    // The passphrase opens the other one.
    const secret = { with: 'passphrase', passphrase: PASSPHRASE } as const;
    const { slot } = await openIdentity(engine.store, secret, undefined, NO_ABORT);
    const keys = [...before.keys()].filter((name) => name.startsWith('keys/'));
    const [removed = assert.fail('another key')] = keys.filter((name) => !name.endsWith(slot));
    const pack = nameIn('packs');
    for (const name of [removed, pack]) await engine.store.delete(name, NO_ABORT);
    const extended = await laterBy(engine.store, 6);
    const after = await versionsOf(engine);
    const left = async (name: string): Promise<number> =>
      extended.untilMs - (await untilMs(engine, after.get(name) ?? assert.fail(name)));
    assert.deepEqual([after.get(pack)?.isHidden, after.get(removed)?.isHidden], [true, true]);
    assert.ok(Math.abs(await left(pack)) < 1000);
    assert.ok((await left(removed)) > 5 * DAY_MS);
  });

  test('emptied packs are hidden while they are locked, not locked anew and not moved again', async (context) => {
    const engine = await lockedEngine(context, 'locks-repacked');
    const clock = { nowMs: 0 };
    const dateMs = async (signal: AbortSignal): Promise<number> =>
      (await engine.store.dateMs(signal)) + clock.nowMs;
    const store = { ...engine.store, dateMs };
    const tree = join(engine.folder, 'tree');
    const world = { ...engine, store, tree, clock, reader: await openReader(store) };
    await nights(world, 4);
    const before = await namesBelow(store, 'packs/');
    const { emptied, made } = await runRepack(world);
    assert.ok(emptied >= 2 && made === 1, `${emptied} into ${made}`);
    // Everything here was stored a moment ago, which is weeks ago by the store's clock: one run announces, one deletes.
    assert.ok((await runPrune(world)).plan.announce.length >= emptied);
    const { deleted, refused, left } = await runPrune(world);
    assert.deepEqual([refused, left], [[], []]);
    const gone = deleted.map(({ name }) => name).filter((name) => before.includes(name));
    assert.ok(gone.length >= emptied, `${gone.length} of ${emptied}`);

    const versions = await versionsOf(engine);
    assert.ok(gone.every((name) => versions.get(name)?.isHidden === true));
    await laterBy(engine.store, 6);
    for (const [name, one] of versions) {
      if (!name.startsWith('packs/')) continue;
      assert.equal((await untilMs(engine, one)) > 0, !gone.includes(name), name);
    }
    assert.deepEqual([(await runRepack(world)).emptied, (await runPrune(world)).refused], [0, []]);
    await assertAllRestore(world, 2);
  });

  test('who may not ask or set is told what is left, object by object', async (context) => {
    const engine = await lockedEngine(context, 'locks-denied');
    const { retentions } = engine.store;
    assert.ok(retentions);
    const denied = (): Promise<never> =>
      Promise.reject(new FerryError('store-denied', 'not this one'));
    const listing = { ...retentions, firstVersions: () => failing(denied) };
    const asking = { ...retentions, find: denied };
    const setting = { ...retentions, set: denied };
    const needed = (await laterBy(engine.store, 6)).due;
    assert.ok(needed >= 7);
    for (const [taken, refused] of [
      [listing, 1],
      [asking, needed],
      [setting, needed],
    ] as const) {
      const extended = await laterBy({ ...engine.store, retentions: taken }, 12);
      assert.equal(extended.refused.length, refused);
      assert.ok(extended.refused.every(({ code }) => code === 'store-denied'));
    }
  });
});

// oxlint-disable-next-line require-yield
async function* failing(work: () => Promise<never>): AsyncGenerator<never> {
  await work();
}
