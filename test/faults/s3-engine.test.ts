/** The engine on a bucket that misbehaves in every way the strict double knows. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { ErrorCode, FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { retryStore } from '../../src/store/retry-store.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import {
  allObjects,
  listAll,
  makeEngine,
  openReader,
  pushTree,
  refusalOf,
  restoreTo,
  type Engine,
} from '../support/engine.ts';
import { copyMachine, withoutCache } from '../support/engine-crash.ts';
import { startS3Double, type FaultKind, type S3Double } from '../support/s3-double.ts';
import { makeTree, treeDifferences } from '../support/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'stateferry-s3-engine-'));
const tree = join(folder, 'tree');
let double: S3Double;
let store: ObjectStore;
let engine: Engine;
/** Everything that was said in any test of this file. */
const said: FerryEvent[] = [];
const refusals: FerryError[] = [];

before(async () => {
  makeTree(tree, 41, { bulkBytes: 1_200_000 });
});

beforeEach(async () => {
  double = await startS3Double();
  const bare = await openS3Store({
    bucket: double.bucketName,
    prefix: 'ferry',
    endpoint: double.url,
    region: double.region,
    credentials: { accessKeyId: double.accessKey, secretAccessKey: double.secretKey },
    requestsInFlightMax: 8,
  });
  const clock = { sleep: (): Promise<void> => Promise.resolve() };
  const emit = (event: FerryEvent): void => void said.push(event);
  const limits = { attemptsMax: 4, attemptsOnceAnsweredMax: 4, delayFirstMs: 1, delayMaxMs: 1 };
  store = retryStore(bare, { clock, random: () => 0, emit }, limits);
  engine = await makeEngine(folder, store);
});

afterEach(async () => {
  await store.close();
  await double.close();
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function assertWhole(): Promise<void> {
  const reader = await openReader(store);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  const out = join(folder, `out-${newest.id}`);
  const restored = await restoreTo(reader, newest, out);
  assert.deepEqual(restored.problems, []);
  assert.deepEqual(treeDifferences(tree, out), []);
}

async function refusal(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await refusalOf(work);
  assert.equal(error.code, code, error.message);
  refusals.push(error);
}

const PASSING: readonly FaultKind[] = [
  'slow-down',
  'internal-error',
  'internal-error-after',
  'reset-before',
  'reset-after',
];

for (const kind of PASSING) {
  test(`${kind}, twice for each kind of request: push and pull are whole`, async () => {
    for (const operation of ['put', 'get', 'head', 'list'] as const) {
      double.addFault({ kind, operation, times: 2 });
    }
    await pushTree(store, engine.machine, tree);
    for (const operation of ['get', 'list'] as const) {
      double.addFault({ kind, operation, times: 2 });
    }
    await assertWhole();
    assert.ok(said.some(({ type }) => type === 'retry'));
  });
}

test('answers cut off in the middle are fetched again', async () => {
  await pushTree(store, engine.machine, tree);
  double.addFault({ kind: 'truncate', operation: 'get', times: 3, skip: 2 });
  await assertWhole();
});

const LASTING: readonly (readonly [FaultKind, ErrorCode])[] = [
  ['denied', 'store-denied'],
  ['unknown-user', 'store-denied'],
  ['internal-error', 'store-unreachable'],
  ['reset-before', 'store-unreachable'],
  ['slow-down', 'store-busy'],
  ['no-such-bucket', 'repository-missing'],
  ['quota', 'no-space'],
];

for (const [kind, code] of LASTING) {
  test(`${kind} for good: a push says so by its own name, commits nothing and can be repeated`, async () => {
    for (const key of [/packs\//, /indexes\//, /lists\//, /snapshots\//]) {
      double.addFault({ kind, operation: 'put', key, times: Infinity });
      await refusal(pushTree(store, engine.machine, tree), code);
      double.clearFaults();
      assert.equal((await allObjects(store, 'snapshots/')).size, 0);
    }
    await pushTree(store, engine.machine, tree);
    await assertWhole();
  });
}

for (const [kind, code] of LASTING) {
  test(`${kind} for good: a pull says so by its own name, and goes on later`, async () => {
    await pushTree(store, engine.machine, tree);
    const reader = await openReader(store);
    const newest = (await listAll(reader)).at(-1);
    assert.ok(newest);
    const stage = join(folder, `stage-${newest.id}`);
    double.addFault({ kind, operation: 'get', key: /packs\//, times: Infinity, skip: 1 });
    await refusal(restoreTo(reader, newest, stage), code);
    double.clearFaults();
    await restoreTo(reader, newest, stage);
    assert.deepEqual(treeDifferences(tree, stage), []);
  });
}

test('a server that never answers is left when the user says so', async () => {
  double.addFault({ kind: 'silence', operation: 'put', key: /packs\//, times: Infinity });
  const leave = new AbortController();
  const working = pushTree(store, engine.machine, tree, { signal: leave.signal });
  const left = refusal(working, 'interrupted');
  for (let line = await double.nextRequest(); line.status !== 'none';)
    line = await double.nextRequest();
  leave.abort();
  await left;

  double.clearFaults();
  await pushTree(store, engine.machine, tree);
  const reader = await openReader(store);
  const newest = (await listAll(reader)).at(-1);
  assert.ok(newest);
  const stage = join(folder, 'stage-silent');
  double.addFault({ kind: 'silence', operation: 'get', key: /packs\//, times: Infinity, skip: 1 });
  const leaveAgain = new AbortController();
  const pulling = restoreTo(reader, newest, stage, { signal: leaveAgain.signal });
  const leftAgain = refusal(pulling, 'interrupted');
  for (let line = await double.nextRequest(); line.status !== 'none';)
    line = await double.nextRequest();
  leaveAgain.abort();
  await leftAgain;
});

for (const folderName of ['packs', 'lists'] as const) {
  test(`success and then lost, in ${folderName}/: noticed before the commit`, async () => {
    double.addFault({ kind: 'lose', operation: 'put', key: new RegExp(`${folderName}/`) });
    await pushTree(store, engine.machine, tree);
    await assertWhole();
  });
}

test('an index or a snapshot that is lost after its 200 costs no content', async () => {
  double.addFault({ kind: 'lose', operation: 'put', key: /indexes\// });
  await pushTree(store, engine.machine, tree);
  await assertWhole();
  double.addFault({ kind: 'lose', operation: 'put', key: /snapshots\// });
  makeTree(join(tree, 'again'), 42);
  await pushTree(store, engine.machine, tree);
  // The mark of this machine shows what is missing, and the next push is whole again.
  await pushTree(store, withoutCache(copyMachine(engine.machine, join(folder, 'copied'))), tree);
  await assertWhole();
  rmSync(join(tree, 'again'), { recursive: true });
});

test('nothing that was said holds the keys of the bucket', () => {
  assert.ok(said.length > 10 && refusals.length > 10);
  const text = JSON.stringify([
    said,
    refusals.map(({ message, hint, details, stack, cause }) => [
      message,
      hint,
      details,
      stack,
      String(cause),
    ]),
  ]);
  assert.ok(!text.includes('double-secret'), 'the secret key');
  assert.ok(!text.includes('AKDOUBLE'), 'the access key');
});
