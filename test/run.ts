/**
 * The test command. First the static checks, then every test file in one run of node's own test runner, then what the
 * rings (see support/rings.ts) did. Arguments choose test files by a part of their path: `npm test -- unit/fs`.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRingRecord, requiredRings, RING_NAMES, type RingRecord } from './support/rings.ts';
import { runStaticChecks, sayCheck } from './static-checks.ts';
import { makeTestEnv, type TestEnv } from './support/test-env.ts';
import type { RunCounts } from './support/counts-reporter.ts';

const projectFolder = join(import.meta.dirname, '..');
/** One file at a time per core of a small machine; servers and worker threads share it. */
const FILES_AT_ONCE = 2;
/** A ring may have to install a product first. */
const FILE_TIMEOUT_MS = 45 * 60_000;

type Verdict = { passed: number; failed: number; skipped: number; readonly complaints: string[] };

main(process.argv.slice(2));

function main(filters: readonly string[]): void {
  const testEnv = makeTestEnv(process.env);
  // Known here, so that a misspelt ring fails before an hour of tests.
  const required = filters.length === 0 ? requiredRings() : [];
  try {
    const verdict: Verdict = { passed: 0, failed: 0, skipped: 0, complaints: [] };
    if (filters.length === 0) checkStatically(testEnv, verdict);
    runTestFiles(filters, testEnv, verdict);
    reportRings(testEnv, required, verdict);
    close(verdict);
  } finally {
    testEnv.remove(say);
  }
}

function checkStatically(testEnv: TestEnv, verdict: Verdict): void {
  for (const result of runStaticChecks(testEnv.env)) {
    sayCheck(result);
    if (result.isPassed) verdict.passed += 1;
    else {
      verdict.failed += 1;
      verdict.complaints.push(`${result.name}: ${result.command} found something`);
    }
  }
}

function runTestFiles(filters: readonly string[], testEnv: TestEnv, verdict: Verdict): void {
  const files = globSync('test/**/*.test.ts', { cwd: projectFolder })
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .toSorted();
  if (files.length === 0) {
    verdict.failed += 1;
    verdict.complaints.push(`no test file matches ${filters.join(' ')}`);
    return;
  }
  const result = spawnSync(process.execPath, [...runnerArguments(testEnv), ...files], {
    cwd: projectFolder,
    env: filters.length === 0 ? { ...testEnv.env, STATEFERRY_TEST_WHOLE: '1' } : testEnv.env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const counts = readCounts(testEnv.countsPath);
  if (counts === undefined) {
    verdict.failed += 1;
    verdict.complaints.push(`the test runner did not finish (${result.signal ?? result.status})`);
    return;
  }
  verdict.passed += counts.passed;
  verdict.failed += counts.failed;
  verdict.skipped += counts.skipped;
  for (const skip of counts.skips) say(`skipped: ${skip.test}: ${skip.reason}`);
  for (const file of counts.emptyFiles) {
    verdict.failed += 1;
    verdict.complaints.push(`${file} ran no test`);
  }
  if (result.status !== 0 && counts.failed === 0) {
    verdict.failed += 1;
    verdict.complaints.push(`the test runner ended with ${result.signal ?? result.status}`);
  }
}

function runnerArguments(testEnv: TestEnv): string[] {
  return [
    '--test',
    `--test-concurrency=${FILES_AT_ONCE}`,
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(import.meta.dirname, 'support/counts-reporter.ts')}`,
    `--test-reporter-destination=${testEnv.countsPath}`,
  ];
}

function readCounts(path: string): RunCounts | undefined {
  try {
    // Written by our own reporter a moment ago.
    return JSON.parse(readFileSync(path, 'utf8')) as RunCounts;
  } catch {
    return undefined;
  }
}

/** Says for each ring whether it ran; a required one that was skipped or had no test is a failure. */
function reportRings(testEnv: TestEnv, required: readonly string[], verdict: Verdict): void {
  const records = readRingRecords(testEnv.ringReportPath);
  say('\nrings');
  for (const name of RING_NAMES) {
    const own = records.filter((line) => line.ring === name);
    const tests = own.filter((line) => line.what === 'ran').length;
    const skipped = own.flatMap((line) => (line.what === 'skipped' ? [line.reason] : []));
    const isRequired = required.includes(name);
    if (own.length === 0 && !isRequired) continue;
    const said = tests > 0 || skipped.length === 0 ? [`${tests} tests ran`] : [];
    say(`  ${name}: ${[...said, ...skipped.map((reason) => `SKIPPED: ${reason}`)].join('; ')}`);
    if (isRequired && (tests === 0 || skipped.length > 0)) {
      verdict.failed += 1;
      verdict.complaints.push(
        `the required ring ${name} ${tests === 0 ? 'ran no test' : 'is not whole'}`,
      );
    }
  }
  if (records.length === 0) say('  none declared in the files that ran');
}

function readRingRecords(path: string): RingRecord[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const value: unknown = line === '' ? undefined : JSON.parse(line);
    return isRingRecord(value) ? [value] : [];
  });
}

/** The last line is one that machines read. */
function close(verdict: Verdict): void {
  for (const complaint of verdict.complaints) say(`✖ ${complaint}`);
  say(`\n${verdict.passed} passed, ${verdict.failed} failed, ${verdict.skipped} skipped`);
  process.exitCode = verdict.failed === 0 && verdict.passed > 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
