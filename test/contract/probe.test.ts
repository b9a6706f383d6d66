import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { probeFolder } from '../../src/store/probe-folder.ts';
import { probeS3 } from '../../src/store/probe-s3.ts';
import { storeSettingsOf, type ProbeDeps, type ProbeReport } from '../../src/store/probe.ts';
import { startS3Double, type DoubleOptions, type S3Double } from '../support/s3-double.ts';
import { never, storeOptions } from './double-fixture.ts';
import { rejectsWith } from './store-contract.ts';

const deps: ProbeDeps = { clock: systemClock, random: () => 0, emit: () => {} };

async function probeDouble(
  options: DoubleOptions,
): Promise<{ report: ProbeReport; double: S3Double }> {
  const double = await startS3Double(options);
  after(() => double.close());
  return { report: await probeS3(storeOptions(double), deps, never), double };
}

describe('probe', () => {
  test('aws: everything as it should be, and nothing left behind', async () => {
    const { report, double } = await probeDouble({ profile: 'aws' });
    assert.deepEqual(pick(report), ['yes', 'yes', 'yes', 'atomic', 'crc32', 'yes', 'yes', 'yes']);
    assert.equal(report.createOnlyRefusal, '412 PreconditionFailed');
    assert.deepEqual(report.race, { racers: 8, winnersMax: 1 });
    assert.deepEqual([report.versioning, report.objectLock], ['off', 'off']);
    assert.deepEqual([report.left, report.unknown], [[], []]);
    assert.ok(Math.abs(report.clockDifferenceMs) < 5000);
    assert.equal(double.bucket.objects.size, 0);
    assert.deepEqual(storeSettingsOf(report), { uploadChecksum: 'crc32', createOnly: 'atomic' });
  });

  test('ceph checks MD5 only', async () => {
    const { report } = await probeDouble({ profile: 'ceph' });
    assert.equal(report.uploadChecksum, 'md5');
    assert.equal(report.createOnly, 'atomic');
  });

  test('swift has no create-only', async () => {
    const { report } = await probeDouble({ profile: 'swift' });
    assert.deepEqual([report.uploadChecksum, report.createOnly], ['md5', 'none']);
    assert.equal(report.createOnlyRefusal, '501 NotImplemented');
  });

  test('lax takes everything', async () => {
    const { report } = await probeDouble({ profile: 'lax' });
    assert.deepEqual([report.uploadChecksum, report.createOnly], ['none', 'none']);
    assert.deepEqual(storeSettingsOf(report), { createOnly: 'none' });
  });

  test('a server that refuses by hanging up refuses all the same', async () => {
    const { report } = await probeDouble({
      faults: [{ kind: 'create-only-reset', times: Infinity }],
    });
    assert.deepEqual(
      [report.createOnly, report.createOnlyRefusal],
      ['atomic', 'connection closed'],
    );
  });

  test('a race with several winners is racy', async () => {
    const { report } = await probeDouble({
      faults: [{ kind: 'ignore-create-only', operation: 'put', skip: 6, times: 2 }],
    });
    assert.equal(report.createOnly, 'racy');
    assert.ok((report.race?.winnersMax ?? 0) > 1);
  });

  test('a credential that may only write: what is known, and why the rest is not', async () => {
    const { report, double } = await probeDouble({
      faults: [
        { kind: 'denied', operation: ['get', 'head', 'list', 'delete', 'bucket'], times: Infinity },
      ],
    });
    assert.deepEqual(pick(report), [
      'yes',
      'unknown',
      'no',
      'atomic',
      'crc32',
      'unknown',
      'unknown',
      'unknown',
    ]);
    assert.deepEqual([report.versioning, report.objectLock], ['unknown', 'unknown']);
    assert.ok(report.left.length > 0 && report.left.length >= double.bucket.objects.size);
    assert.ok(report.unknown.some(({ what, why }) => what === 'reading' && why.includes('403')));
  });

  test('a credential that may only read', async () => {
    const { report } = await probeDouble({
      faults: [{ kind: 'denied', operation: ['put', 'delete'], times: Infinity }],
    });
    assert.deepEqual([report.write, report.read, report.createOnly], ['denied', 'yes', 'unknown']);
    assert.deepEqual(storeSettingsOf(report), {});
  });

  test('versioning, Object Lock and a clock that differs are seen', async () => {
    const { report } = await probeDouble({
      versioning: 'Enabled',
      objectLock: true,
      clockOffsetMs: 120_000,
    });
    assert.deepEqual([report.versioning, report.objectLock], ['on', 'on']);
    assert.ok(report.clockDifferenceMs > 100_000 && report.clockDifferenceMs < 140_000);
  });

  test('a listing that lags behind is seen', async () => {
    const { report } = await probeDouble({
      faults: [{ kind: 'stale', operation: 'list', times: Infinity }],
    });
    assert.equal(report.list, 'no');
  });

  test('a bucket that is not there ends the probe', async () => {
    const double = await startS3Double();
    after(() => double.close());
    const elsewhere = { ...storeOptions(double), bucket: 'missing' };
    await rejectsWith('repository-missing', probeS3(elsewhere, deps, never));
  });

  test('a folder', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferry-probe-'));
    after(() => rm(root, { recursive: true }));
    const report = await probeFolder(root, deps, never);
    assert.deepEqual([report.write, report.read, report.createOnly], ['yes', 'yes', 'atomic']);
    assert.deepEqual([report.delete, report.left], ['yes', []]);
    assert.deepEqual(await readdir(join(root, 'probe')), []);
  });
});

function pick(report: ProbeReport): string[] {
  const { write, read, createOnly, uploadChecksum, rangeReads, list, listPages } = report;
  return [write, read, report.delete, createOnly, uploadChecksum, rangeReads, list, listPages];
}
