/** Sinks: what goes where, in which words, and what never does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FerryEvent } from '../../../../src/base/events.ts';
import { jsonOutput } from '../../../../src/cli/output/json-output.ts';
import { Meter, type Progress } from '../../../../src/cli/output/meter.ts';
import { READER_GONE, type OutputChoices, type Sink } from '../../../../src/cli/output/output.ts';
import { probeLines } from '../../../../src/cli/output/places/probe-answer.ts';
import type { Summary } from '../../../../src/cli/output/summary.ts';
import { textOutput } from '../../../../src/cli/output/text-output.ts';
import { bytesText, durationText } from '../../../../src/cli/output/text/words.ts';

type Recorded = Sink & { text(): string };

function recorder(isTerminal: boolean): Recorded {
  let all = '';
  return {
    isTerminal,
    columns: () => 60,
    write: (text) => {
      all += text;
    },
    writeBytes: (bytes) => {
      all += Buffer.from(bytes).toString('utf8');
      return Promise.resolve();
    },
    over: () => undefined,
    text: () => all,
  };
}

const progress = (bytesDone: number): Progress => ({
  type: 'progress',
  stage: 'capture',
  bytesDone,
  bytesTotal: 100 * 1024 * 1024,
  filesDone: 10,
  filesTotal: 100,
  bytesStored: 1024 * 1024,
  totalsKnown: true,
});

const RETRY = {
  type: 'retry',
  operation: 'put',
  name: 'packs/x',
  attempt: 1,
  delayMs: 250,
  message: 'reset',
} as const;

const EVENTS: readonly FerryEvent[] = [
  { type: 'stage', stage: 'capture', detail: 'openclaw' },
  progress(1024),
  { type: 'underway', what: 'x \u001b[2Jdoctor', durationMs: 12_345 },
  { type: 'omission', path: 'state/\u001b[2Jx', reason: 'socket' },
  { type: 'problem', path: 'state/a\u001b]0;b', code: 'EACCES', message: 'permission denied' },
  RETRY,
  { type: 'notice', code: 'n', message: 'said\u0007', hint: 'do' },
  { type: 'check', check: 'c', ok: true, expected: '1', found: '1' },
  { type: 'command', command: 'x doctor', exit: 0, durationMs: 5, output: 'out' },
];

test('a probe is answered in words, with what could not be found out', () => {
  const yes = 'yes';
  const lines = probeLines({
    verb: 'probe',
    repository: 's3://b',
    report: {
      location: 's3://b',
      kind: 's3',
      write: yes,
      read: yes,
      delete: 'no',
      createOnly: 'racy',
      createOnlyRefusal: '412 PreconditionFailed',
      race: { racers: 16, winnersMax: 2 },
      uploadChecksum: 'crc32',
      rangeReads: yes,
      list: yes,
      listPages: yes,
      versioning: 'unknown',
      objectLock: 'off',
      clockDifferenceMs: -1500,
      latencyMs: 12,
      left: ['probe/a\u0007'],
      unknown: [{ what: 'versioning', why: 'denied' }],
    },
  }).map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
  assert.ok(lines.includes('creating at once | 16 tried, at most 2 won'));
  assert.ok(lines.includes("its clock minus this machine's | -1.5 s"));
  assert.ok(lines.includes('not found out | versioning: denied'));
  assert.ok(!lines.join('\n').includes('\u0007'));
});

const PUSHED: Summary = {
  verb: 'push',
  snapshots: [
    {
      id: '0123456789abcdef0123456789abcdef',
      repository: '/r',
      install: 'openclaw',
      files: 2,
      bytes: 3,
      bytesNew: 3,
      bytesStored: 65536,
      omissions: [{ path: 'state/s', reason: 'socket' }],
      problems: [],
    },
  ],
  failed: [],
  missing: [],
  requests: { put: 1, get: 0, head: 0, list: 0, delete: 0 },
  durationMs: 12,
  rssMaxBytes: 1,
};

function choices(over: Partial<OutputChoices>): OutputChoices {
  return { json: false, quiet: false, verbose: false, color: false, ...over };
}

function texts(over: Partial<OutputChoices>, isTerminal: boolean): [Recorded, Recorded] {
  const sinks = { stdout: recorder(isTerminal), stderr: recorder(isTerminal) };
  const clock = { nowMs: () => 0, sleep: () => Promise.resolve() };
  const output = textOutput(sinks, choices(over), clock, () => undefined);
  for (const event of EVENTS) output.emit(event);
  output.finish(PUSHED, 0);
  return [sinks.stdout, sinks.stderr];
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const FOREIGN_CONTROLS = /\u001b(?!\[K)|\u0007|\u009b/;

describe('words', () => {
  test('the answer on stdout, the talk on stderr', () => {
    const [stdout, stderr] = texts({}, false);
    assert.match(stdout.text(), /^pushed openclaw as 01234567 to \/r\n/);
    assert.match(stdout.text(), /state\/s: socket/);
    assert.match(stderr.text(), /^capture openclaw\n/);
    assert.match(stderr.text(), /problem: state\/a\\x1b\]0;b: permission denied/);
    assert.match(stderr.text(), /ran: x doctor \(exit 0, 5 ms\)/);
    assert.doesNotMatch(stderr.text(), FOREIGN_CONTROLS);
  });

  test('a terminal gets one line for progress, as wide as it is, and it is gone at the end', () => {
    const [, stderr] = texts({}, true);
    const shown = stderr.text().split('\r\u001b[K');
    assert.ok(shown.length > 2);
    for (const part of shown) assert.ok((part.split('\n')[0] ?? '').length < 80);
    assert.doesNotMatch(stderr.text(), FOREIGN_CONTROLS);
  });

  test('a pipe gets no cursor movements', () => {
    const [, stderr] = texts({ verbose: true }, false);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(stderr.text(), /[\r\u001b]/);
    assert.match(stderr.text(), /left out: state\/\\x1b\[2Jx: socket/);
    assert.match(stderr.text(), /waiting: reset/);
  });

  test('of several that wait for the store, one says so every five seconds', () => {
    const sinks = { stdout: recorder(false), stderr: recorder(false) };
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };
    const output = textOutput(sinks, choices({}), clock, () => undefined);
    const wait = (attempt: number): void =>
      output.emit({ ...RETRY, attempt, message: `${attempt} at ${nowMs}` });
    for (const attempt of [1, 2, 3, 3, 4]) wait(attempt);
    nowMs = 5_000;
    for (const attempt of [5, 5]) wait(attempt);
    const said = sinks.stderr.text().match(/waiting: \d at \d+/g);
    assert.deepEqual(said, ['waiting: 3 at 0', 'waiting: 5 at 5000']);
  });

  for (const isTerminal of [true, false]) {
    const where = isTerminal ? 'ticks on a terminal' : 'is a line every ten seconds in a pipe';
    test(`what goes on without numbers ${where}`, () => {
      const sinks = { stdout: recorder(isTerminal), stderr: recorder(isTerminal) };
      let nowMs = 0;
      const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };
      const output = textOutput(sinks, choices({}), clock, () => undefined);
      output.emit({ type: 'stage', stage: 'doctor' });
      for (nowMs = 500; nowMs <= 21_000; nowMs += 500) {
        output.emit({ type: 'underway', what: 'x doctor', durationMs: nowMs });
      }
      const said = sinks.stderr.text().match(/x doctor … [^\r\n]*/g) ?? [];
      if (!isTerminal) return assert.deepEqual(said, ['x doctor … 10 s', 'x doctor … 20 s']);
      assert.deepEqual(said.slice(0, 3), [
        'x doctor … 1.0 s',
        'x doctor … 1.5 s',
        'x doctor … 2.0 s',
      ]);
      assert.equal(said.length, 41);
    });
  }

  test('quiet leaves problems, and nothing of a report', () => {
    const [stdout, stderr] = texts({ quiet: true }, false);
    assert.equal(stdout.text(), '');
    assert.match(stderr.text(), /^problem: [^\n]*\n$/);
  });
});

describe('JSON Lines', () => {
  test('events as they happen, one summary last, all on stdout', () => {
    const sinks = { stdout: recorder(false), stderr: recorder(false) };
    const output = jsonOutput(sinks, () => undefined);
    for (const event of EVENTS) output.emit(event);
    output.finish(PUSHED, 3);
    const lines = sinks.stdout.text().trimEnd().split('\n');
    const values = lines.map((line): unknown => JSON.parse(line));
    assert.deepEqual(values.slice(0, -1), EVENTS);
    const { verb, ...fields } = PUSHED;
    assert.deepEqual(values.at(-1), { type: 'summary', verb, ok: false, exit: 3, ...fields });
    assert.equal(sinks.stderr.text(), '');
  });

  test('with a payload on stdout, the lines go to stderr', async () => {
    const sinks = { stdout: recorder(false), stderr: recorder(false) };
    const output = jsonOutput(sinks, () => undefined);
    await output.payload(Buffer.from('content'));
    output.finish({ verb: 'cat', snapshot: 's', path: 'p', bytes: 7 }, 0);
    assert.equal(sinks.stdout.text(), 'content');
    assert.match(sinks.stderr.text(), /^\{"type":"summary","verb":"cat","ok":true/);
  });

  test('when the reader has gone, what streams its answer is stopped', () => {
    const stopped: Error[] = [];
    const stdout = { ...recorder(false), over: () => READER_GONE };
    const output = jsonOutput({ stdout, stderr: recorder(false) }, (why) => stopped.push(why));
    output.item({ type: 'difference', change: 'added', path: 'a', what: [], bytes: 1 });
    assert.deepEqual(stopped, [READER_GONE]);
  });
});

describe('the progress line', () => {
  test('amount, rate and time left', () => {
    const meter = new Meter();
    meter.line(progress(0), 0);
    const line = meter.line(progress(25 * 1024 * 1024), 5000);
    assert.equal(
      line,
      'capture 25 % · 25.0 MiB of 100.0 MiB · 10 entries · 1.0 MiB moved · 5.0 MiB/s · 15 s left',
    );
  });

  test('what is done has no rate: the last bytes are not the whole', () => {
    const meter = new Meter();
    meter.line(progress(100 * 1024 * 1024 - 20), 0);
    assert.doesNotMatch(meter.line(progress(100 * 1024 * 1024), 5000), /\/s/);
  });

  test('where nobody counts what is moved, nothing is said of it', () => {
    const { bytesStored: _, ...uncounted } = { ...progress(1024 * 1024), stage: 'export' };
    assert.equal(new Meter().line(uncounted, 0), 'export 1 % · 1.0 MiB of 100.0 MiB · 10 files');
  });

  test('while the totals still grow, no promise', () => {
    const line = new Meter().line({ ...progress(1), totalsKnown: false }, 0);
    assert.match(line, /1 B of at least 100\.0 MiB/);
    assert.doesNotMatch(line, /left/);
  });

  test('numbers as people read them', () => {
    assert.deepEqual([0, 1023, 1024, 1536, 1024 ** 3, 5 * 1024 ** 5].map(bytesText), [
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 KiB',
      '1.0 GiB',
      '5120.0 TiB',
    ]);
    assert.deepEqual([5, 1500, 59_000, 61_000, 3_661_000].map(durationText), [
      '5 ms',
      '1.5 s',
      '59 s',
      '1 min 01 s',
      '1 h 01 min',
    ]);
  });
});
