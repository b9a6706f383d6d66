/** Where nobody looks, a forget stops at what a person should see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import { refuseRolledBack, refuseUnusual } from '../../../../src/cli/keeping/forget-guards.ts';
import type { Session } from '../../../../src/cli/session.ts';
import type { WriterId } from '../../../../src/format/names.ts';
import type { ForgetPlan } from '../../../../src/maintenance/forget/forget-plan.ts';

const WRITER = 'aa'.repeat(16) as WriterId;
const UNUSUAL: ForgetPlan = {
  kept: [],
  doomed: [],
  tickets: [],
  unusual: [{ writer: WRITER, machine: 'laptop', count: 500, usual: 7 }],
  nowMs: 0,
};
const LACK = {
  missing: [{ writer: WRITER, snapshot: null, time: '2026-11-21T03:00:00.000Z', shown: null }],
  holes: [],
};

/** As much of a session as is asked for. */
const session = (isThere: boolean, options: Partial<Session['options']>, answer = ''): Session =>
  ({
    options,
    signal: new AbortController().signal,
    terminal: { isThere, ask: () => Promise.resolve(answer) },
  }) as unknown as Session;

const UNATTENDED: readonly [string, Session][] = [
  ['no terminal', session(false, {})],
  ['--yes', session(true, { yes: true }, 'y')],
  ['--json', session(true, { json: true }, 'y')],
];

const refused = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FerryError);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

for (const [how, at] of UNATTENDED) {
  test(`${how}: far more than usual is refused, with both numbers`, () => {
    const check = refused('confirmation-needed', /500 snapshots of laptop .* usually it is 7/);
    assert.throws(() => refuseUnusual(at, UNUSUAL), check);
    refuseUnusual(at, { ...UNUSUAL, unusual: [] });
  });

  test(`${how}: nothing is forgotten by what a rolled-back repository shows`, async () => {
    const check = refused('history-rolled-back', /nothing was forgotten: a forget record of 2026/);
    await assert.rejects(refuseRolledBack(at, LACK), check);
    await refuseRolledBack(at, { ...LACK, missing: [] });
  });
}

test('a person at a terminal sees the plan, and is asked about a rolled-back history', async () => {
  refuseUnusual(session(true, {}), UNUSUAL);
  await refuseRolledBack(session(true, {}, 'yes'), LACK);
  await assert.rejects(refuseRolledBack(session(true, {}, 'n'), LACK), /nothing was forgotten/);
});
