/** Every code has words: what is said, what is hinted, and how the process ends. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ERROR_CODES, FerryError, type ErrorCode } from '../../../../src/base/errors.ts';
import { failureJson, failureLines, failureOf } from '../../../../src/cli/output/failure.ts';
import { HINTS } from '../../../../src/cli/output/hints.ts';

/** The exit status that scripts rely on, per code. */
const EXITS: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  incomplete: 3,
  'install-not-found': 4,
  'install-ambiguous': 4,
  'snapshot-not-found': 4,
  'path-not-found': 4,
  'cli-missing': 5,
  'cli-too-old': 5,
  'remote-mode': 6,
  'no-space': 7,
  'open-files-limit': 2,
  'settings-locked': 2,
  'repository-missing': 10,
  'repository-exists': 2,
  'repository-damaged': 16,
  'nothing-opens': 12,
  'secret-needed': 12,
  'not-joined': 12,
  'store-denied': 13,
  'store-clock': 13,
  'store-unreachable': 14,
  'store-busy': 14,
  'store-refused': 14,
  'object-missing': 15,
  'object-damaged': 16,
  'object-foreign': 16,
  'format-too-new': 17,
  'target-unsafe': 18,
  'gateway-unstoppable': 19,
  'checklist-failed': 20,
  'history-rolled-back': 21,
  'ticket-expired': 22,
  'ticket-used': 22,
  'ticket-cancelled': 22,
  'confirmation-needed': 23,
  overdue: 24,
  'machine-revoked': 25,
  'platform-unsupported': 2,
  'scheduler-missing': 2,
  'scheduler-failed': 20,
  'file-unreadable': 3,
  'file-write': 3,
  'gateway-command': 20,
  bug: 70,
  interrupted: 130,
};

const calm = new AbortController().signal;
const SECRETS = ['correct horse battery', 'SF1-81X0-XP4N', 'AKIAIOSFODNN7EXAMPLE'];

describe('every code', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    test(code, () => {
      const failure = failureOf(new FerryError(code, 'it happened'), calm);
      assert.deepEqual(failureLines(failure, false), [
        'error: it happened',
        `hint: ${HINTS[code]}`,
      ]);
      assert.ok(HINTS[code].length > 10);
      assert.equal(failure.exit, EXITS[code]);
      assert.deepEqual(JSON.parse(failureJson(failure)), {
        type: 'error',
        code,
        message: 'it happened',
        hint: HINTS[code],
        exit: EXITS[code],
      });
    });
  }

  test('its hints are pinned', (context) => {
    const all = Object.entries(HINTS).map(([code, hint]) => `${code}: ${hint}`);
    assert.equal(all.length, Object.keys(ERROR_CODES).length);
    for (const line of all) {
      assert.ok(/^[a-z-]+: .*[^.]$|^[a-z-]+: .*\.$/.test(line), line);
      for (const secret of SECRETS) assert.ok(!line.includes(secret));
    }
    context.diagnostic(`${all.length} hints`);
  });
});

describe('how a failure is told', () => {
  test('its own hint wins, and details travel in JSON', () => {
    const error = new FerryError('object-missing', 'packs/a is missing', {
      hint: 'Look there.',
      details: { object: 'packs/a' },
    });
    const failure = failureOf(error, calm);
    assert.deepEqual(failureLines(failure, false), [
      'error: packs/a is missing',
      'hint: Look there.',
    ]);
    const json: unknown = JSON.parse(failureJson(failure));
    assert.deepEqual(json, {
      type: 'error',
      code: 'object-missing',
      message: 'packs/a is missing',
      hint: 'Look there.',
      exit: 15,
      details: { object: 'packs/a' },
    });
  });

  test('anything else that was thrown is a bug, and verbose words say where', () => {
    const failure = failureOf(new TypeError('x is not a function'), calm);
    assert.equal(failure.exit, 70);
    assert.equal(failureLines(failure, false).length, 2);
    assert.match(failureLines(failure, true).join('\n'), /failure\.test\.ts/);
  });

  test('whatever fails after an interrupt is the interrupt', () => {
    const stopped = AbortSignal.abort(new Error('SIGINT'));
    const failure = failureOf(new FerryError('store-unreachable', 'socket closed'), stopped);
    assert.equal(failure.exit, 130);
    assert.equal(failure.code, 'interrupted');
  });

  test('what stopped it is told where that is itself a failure', () => {
    const full = new FerryError('no-space', 'cannot write to stdout: no space is left');
    const thrown = new FerryError('interrupted', 'interrupted');
    const failure = failureOf(thrown, AbortSignal.abort(full));
    assert.equal(failure.exit, 7);
    assert.equal(failure.message, full.message);
    const bug = new FerryError('bug', 'assertion failed: one');
    assert.equal(failureOf(bug, AbortSignal.abort(full)).exit, 70);
  });

  test('control characters in a name do not reach the terminal', () => {
    const failure = failureOf(
      new FerryError('path-not-found', 'no \u001b[31mred\nline\u009b'),
      calm,
    );
    const text = failureLines(failure, false).join('\n');
    assert.equal(text.split('\n').length, 2);
    assert.ok(text.includes('no \\x1b[31mred\\x0aline\\x9b'));
    assert.ok(!failureJson(failure).slice(0, -1).includes('\n'));
    assert.ok(!failureJson(failure).includes('\u009b'));
  });
});

test('a ticket that was typed where none belongs is in nothing that is said', () => {
  const ticket = `sft1${'A1b2C3d4E5'.repeat(19)}`;
  const error = new FerryError('usage', `unknown command '${ticket}'`, {
    hint: `Is "${ticket}" a folder?`,
    details: { path: `/home/al/${ticket}`, port: 1 },
    cause: new Error(`no ${ticket}`),
  });
  const failure = failureOf(error, new AbortController().signal);
  const said = [...failureLines(failure, true), failureJson(failure)].join('\n');
  assert.doesNotMatch(said, /A1b2C3d4E5/);
  assert.match(said, /unknown command 'sft1…'/);
});
