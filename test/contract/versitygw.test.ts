import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { probeS3 } from '../../src/store/probe-s3.ts';
import { openS3Store, type S3StoreOptions } from '../../src/store/s3-store.ts';
import { ring } from '../support/rings.ts';
import { makeBucket } from '../support/servers-buckets.ts';
import { startVersitygw } from '../support/servers.ts';
import { describeServer } from './s3-server.ts';
import { listAll, rejectsWith } from './store-contract.ts';

const server = await startVersitygw();
const never = new AbortController().signal;

ring('versitygw', server.absent, () => {
  // It looks before it stores, without holding anything in between: in a race more than one may win.
  describeServer('versitygw', server, 8);

  test('a wrong secret, an unknown key and a missing bucket are told apart from absence', async () => {
    const bucket = await makeBucket(server);
    const { accessKeyId, secretAccessKey } = server;
    const cases: [ErrorCode, Partial<S3StoreOptions>][] = [
      ['store-denied', { credentials: { accessKeyId, secretAccessKey: 'wrong' } }],
      ['store-denied', { credentials: { accessKeyId: 'stranger', secretAccessKey } }],
      ['repository-missing', { bucket: 'no-such-bucket-here' }],
    ];
    for (const [code, options] of cases) {
      const store = await openS3Store({ ...bucket.options, ...options });
      await rejectsWith(code, store.get('a', undefined, never));
      await rejectsWith(code, store.stat('a', never));
      await rejectsWith(code, store.put('a', Buffer.from('x'), { createOnly: true }, never));
      await rejectsWith(code, store.put('a', randomBytes(8 * 1024 * 1024), {}, never));
      await rejectsWith(code, listAll(store, ''));
      await store.close();
    }
    await bucket.remove();
  });

  test('the probe finds what is known of it', async () => {
    const bucket = await makeBucket(server);
    const deps = { clock: systemClock, random: () => 0, emit: () => {} };
    const report = await probeS3(bucket.options, deps, never);
    assert.equal(report.uploadChecksum, 'crc32');
    assert.match(report.createOnly, /^(atomic|racy)$/);
    assert.equal(report.createOnlyRefusal, '412 PreconditionFailed');
    const { write, read, rangeReads, list, listPages } = report;
    assert.deepEqual(
      [write, read, rangeReads, list, listPages, report.delete],
      Array(6).fill('yes'),
    );
    assert.deepEqual(report.left, []);
    await bucket.remove();
  });

  after(() => server.stop());
});
