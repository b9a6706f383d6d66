import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstallCounts } from '../../../../src/gateway/install/counts.ts';
import {
  checkDoctor,
  compareCounts,
  failedCritical,
} from '../../../../src/gateway/landing/checklist.ts';
import { doctorAnswer, doctorTimeoutMs } from '../../../../src/gateway/product/doctor.ts';

const counts = (sessions: number, files = 3): InstallCounts => ({
  agents: [{ id: 'main', sessions, transcripts: sessions }],
  credentialFiles: 2,
  channels: ['whatsapp'],
  cronJobs: 1,
  workspaces: [{ path: '/old/ws', files }],
});

const failures = (least: InstallCounts, most: InstallCounts, found: InstallCounts, grown = false) =>
  failedCritical(
    compareCounts({ countsBefore: least, countsAfter: most }, found, (path) => path, grown),
  ).map((line) => line.check);

test('what was counted must be found; what grew during the capture may be either', () => {
  assert.deepEqual(failures(counts(5), counts(5), counts(5)), []);
  assert.deepEqual(failures(counts(5), counts(7), counts(6)), []);
  assert.deepEqual(failures(counts(5), counts(7), counts(4)), [
    'sessions of main',
    'transcripts of main',
  ]);
  assert.deepEqual(failures(counts(5), counts(5), counts(8)), [
    'sessions of main',
    'transcripts of main',
  ]);
  assert.deepEqual(failures(counts(5), counts(5), counts(8), true), []);
  assert.deepEqual(failures(counts(5), counts(5), counts(5, 2)), ['files in workspace /old/ws']);
  const lost = { ...counts(5), agents: [], channels: [], cronJobs: 0, credentialFiles: 0 };
  assert.equal(failures(counts(5), counts(5), lost).length, 5);
});

test('a doctor that found missing transcripts, never ended, or said something else fails its line', () => {
  const sound = doctorAnswer({ ...RESULT, stdout: 'OpenClaw doctor\nDoctor complete.\n' });
  assert.equal(checkDoctor(sound).ok, true);
  assert.equal(checkDoctor({ ...sound, integrity: ['1/1 missing'] }).ok, false);
  const late = checkDoctor({ ...sound, timedOut: true, durationMs: 240_012 });
  assert.deepEqual([late.ok, late.found], [false, 'no answer within 240 s']);
  const garbage = checkDoctor(doctorAnswer({ ...RESULT, stdout: '\u0000\u0001 7f45 4c46\n' }));
  assert.deepEqual([garbage.ok, garbage.found], [false, 'exit 0: \u0000\u0001 7f45 4c46']);
  const silent = checkDoctor(doctorAnswer(RESULT));
  assert.deepEqual([silent.ok, silent.found], [false, 'exit 0, nothing said']);
});

test('a doctor has time by its generation', () => {
  assert.ok(doctorTimeoutMs('2026.3.2') <= 180_000);
  assert.ok(doctorTimeoutMs('2026.1.24-3') <= 180_000);
  assert.ok(doctorTimeoutMs('2026.9.6') >= 120_000);
  assert.ok(doctorTimeoutMs(undefined) >= 120_000);
});

const RESULT = {
  exit: 0,
  signal: null,
  stdout: '',
  stderr: '',
  durationMs: 1,
  timedOut: false,
  truncated: false,
};
