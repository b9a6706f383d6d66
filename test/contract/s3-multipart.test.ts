import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { S3StoreOptions } from '../../src/store/s3-store.ts';
import { never, openDouble } from './double-fixture.ts';
import { rejectsWith } from './store-contract.ts';

const MIB = 1024 * 1024;
const inParts: Partial<S3StoreOptions> = { partBytes: 5 * MIB, partsInFlightMax: 2 };
const body = randomBytes(12 * MIB + 5);

describe('uploads in parts', () => {
  test('parts carry a checksum each, and the object is whole', async () => {
    const { double, store } = await openDouble({}, inParts);
    await store.put('large', body, { crc32: 1 }, never); // the whole's: not a part's
    const operations = double.requests.map((line) => line.operation);
    assert.deepEqual(operations.filter((operation) => operation === 'upload-part').length, 3);
    assert.ok(double.bucket.objects.get('ferry/large')?.bytes.equals(body));
    assert.equal(store.counts().put, 5);
  });

  test('exactly one part’s worth goes as one PUT', async () => {
    const { double, store } = await openDouble({}, inParts);
    await store.put('one', body.subarray(0, 5 * MIB), {}, never);
    assert.deepEqual(
      double.requests.map((line) => line.operation),
      ['put'],
    );
  });

  test('parts that may not be stored remove the upload', async () => {
    const { double, store } = await openDouble({}, inParts);
    double.addFault({ kind: 'denied', operation: 'upload-part', skip: 1, times: Infinity });
    await rejectsWith('store-denied', store.put('large', body, {}, never));
    assert.equal(double.bucket.uploads.size, 0);
    assert.equal(double.bucket.objects.size, 0);
  });

  for (const kind of ['reset-before', 'internal-error', 'bad-digest'] as const) {
    test(`a part that fails (${kind}) removes the upload, and the next try is whole`, async () => {
      const { double, store } = await openDouble({}, inParts);
      double.addFault({ kind, operation: 'upload-part', skip: 1 });
      await assert.rejects(store.put('large', body, {}, never));
      assert.equal(double.bucket.uploads.size, 0);
      assert.equal(double.bucket.objects.size, 0);
      await store.put('large', body, {}, never);
      assert.ok(double.bucket.objects.get('ferry/large')?.bytes.equals(body));
    });
  }

  test('an abort on the way ends with interrupted and leaves no parts', async () => {
    const { double, store } = await openDouble({}, inParts);
    double.addFault({ kind: 'silence', operation: 'upload-part', skip: 1, times: Infinity });
    const controller = new AbortController();
    const waiting = rejectsWith('interrupted', store.put('large', body, {}, controller.signal));
    while ((await double.nextRequest()).status !== 'none');
    controller.abort();
    await waiting;
    assert.equal(double.bucket.uploads.size, 0);
  });

  for (const kind of ['reset-after', 'internal-error-after'] as const) {
    test(`Complete that was done although it failed (${kind}) is settled as stored`, async () => {
      const { double, store } = await openDouble({}, inParts);
      double.addFault({ kind, operation: 'complete' });
      assert.equal((await store.put('large', body, {}, never)).outcome, 'stored');
      assert.ok(double.bucket.objects.get('ferry/large')?.bytes.equals(body));
    });
  }

  test('Complete that was not done over an object of the same size stays a failure', async () => {
    const { double, store } = await openDouble({}, inParts);
    await store.put('large', randomBytes(body.length), {}, never);
    double.addFault({ kind: 'reset-before', operation: 'complete' });
    await rejectsWith('store-unreachable', store.put('large', body, {}, never));
    assert.equal(double.bucket.uploads.size, 0);
  });

  test('Complete that answers 200 and loses the object is noticed by nobody but a later look', async () => {
    const { double, store } = await openDouble({}, inParts);
    double.addFault({ kind: 'lose', operation: 'complete' });
    assert.equal((await store.put('large', body, {}, never)).outcome, 'stored');
    assert.equal(await store.stat('large', never), undefined);
  });

  test('parts that cannot be removed do not hide why the upload failed', async () => {
    const { double, store } = await openDouble({}, inParts);
    double.addFault({ kind: 'quota', operation: 'upload-part', skip: 1, times: Infinity });
    double.addFault({ kind: 'denied', operation: 'abort', times: Infinity });
    await rejectsWith('no-space', store.put('large', body, {}, never));
    assert.equal(double.bucket.uploads.size, 1);
  });
});
