/** What handoff reads from options, and what status says of a handoff. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import type { FerryEvent } from '../../../src/base/events.ts';
import { endedAfterClaim } from '../../../src/cli/handoff/ended.ts';
import { lifeOf } from '../../../src/cli/handoff/expires.ts';
import { handoffAttention } from '../../../src/cli/handoff/status.ts';
import { ticketPicture } from '../../../src/cli/handoff/ticket-picture.ts';
import { isTicketMeant } from '../../../src/cli/handoff/take-over.ts';
import { requireTwo } from '../../../src/cli/handoff/two-alive.ts';
import { handoffLines, handoffStatusLines } from '../../../src/cli/output/handoff/answer.ts';
import type { HandoffLine } from '../../../src/cli/output/handoff/summary.ts';
import { cryptoReady } from '../../../src/crypto/sodium.ts';
import { ticketKeys } from '../../../src/crypto/ticket-keys.ts';
import { grantIdOf } from '../../../src/repository/granted.ts';
import { expired } from '../../../src/store/granted-store.ts';
import { fixedBytes } from '../../vectors/stream.ts';

await cryptoReady();
const HOUR_MS = 3_600_000;

test('how long a ticket lives', () => {
  assert.equal(lifeOf(undefined), 24 * HOUR_MS);
  assert.equal(lifeOf('90m'), 1.5 * HOUR_MS);
  assert.equal(lifeOf('7d'), 7 * 24 * HOUR_MS);
  for (const wrong of ['', '0m', '8d', '169h', '1w', '-1h', '1', 'tomorrow']) {
    assert.throws(
      () => lifeOf(wrong),
      (error) => error instanceof FerryError && error.code === 'usage',
      wrong,
    );
  }
});

test('a ticket, or a pipe that brings one', () => {
  assert.ok(isTicketMeant('-'));
  assert.ok(isTicketMeant(`sft1${'aB3'.repeat(20)}`));
  for (const snapshot of [undefined, 'latest', 'latest~2', 'abcdef0123456789']) {
    assert.ok(!isTicketMeant(snapshot));
  }
});

const OFFERED: HandoffLine = {
  install: 'openclaw',
  repository: '/media/usb',
  state: 'offered',
  offeredAt: '2026-11-21T08:00:00.000Z',
  endsAt: '2026-11-22T08:00:00.000Z',
  takenAt: null,
  takenBy: null,
  claimGone: false,
  confirmedAt: null,
  ok: null,
  failed: [],
  serviceFenced: true,
};
const TAKEN = { takenAt: '2026-11-21T09:00:00.000Z', takenBy: 'new-host' } as const;
const CONFIRMED = { ...TAKEN, confirmedAt: '2026-11-21T09:05:00.000Z', ok: true } as const;
const WITH: Readonly<Record<HandoffLine['state'], Partial<HandoffLine>>> = {
  interrupted: { endsAt: null },
  offered: {},
  taken: TAKEN,
  confirmed: CONFIRMED,
  cancelled: {},
  ended: {},
  unknown: {},
};

describe('status', () => {
  for (const [state, more] of Object.entries(WITH)) {
    test(`${state}: says so, and that a start by hand cannot be prevented`, () => {
      const line = { ...OFFERED, ...more, state: state as HandoffLine['state'] };
      const [title, first = '', second = ''] = handoffStatusLines([line]);
      assert.equal(title, 'handoffs');
      assert.match(first, / {2}openclaw: /);
      assert.match(first, /offered|taken|begun|cancelled/);
      if (state !== 'cancelled') assert.match(second, /by hand cannot be prevented/);
    });
  }

  test('confirmed names machine, time and checklist', () => {
    const text = handoffStatusLines([{ ...OFFERED, ...CONFIRMED, state: 'confirmed' }]).join('\n');
    assert.match(text, /by new-host, confirmed 2026-11-21 09:05:00 UTC: checklist passed/);
    const failed = [{ check: 'sessions of main', expected: '3', found: '2' }];
    const bad = { ...OFFERED, ...CONFIRMED, state: 'confirmed', ok: false, failed } as const;
    const said = handoffStatusLines([bad]).join('\n');
    assert.match(said, /checklist FAILED[^]*sessions of main: expected 3, found 2/);
  });

  test('what needs somebody', () => {
    const codes = (line: HandoffLine, running = false): string[] =>
      handoffAttention([line], [{ install: 'openclaw', running }]).map(({ code }) => code);
    assert.deepEqual(codes(OFFERED), []);
    assert.deepEqual(codes(OFFERED, true), ['handed-off-alive']);
    assert.deepEqual(codes({ ...OFFERED, ...CONFIRMED, state: 'confirmed' }, true), [
      'handed-off-alive',
    ]);
    assert.deepEqual(codes({ ...OFFERED, state: 'cancelled' }, true), []);
    assert.deepEqual(codes({ ...OFFERED, state: 'interrupted' }), ['handoff-interrupted']);
    assert.deepEqual(codes({ ...OFFERED, state: 'ended' }), ['ticket-expired']);
    const failed = { ...OFFERED, ...CONFIRMED, state: 'confirmed', ok: false } as const;
    assert.deepEqual(codes(failed), ['checklist-failed']);
  });
});

test('a ticket that ended: who had claimed it is told that the old machine counts it as taken', () => {
  const secret = fixedBytes('a ticket', 32);
  const grant = grantIdOf(ticketKeys(secret));
  const claimed = { grant, install: '', snapshot: '', time: '', nonce: '' };
  const ended = expired(Date.UTC(2026, 10, 21));
  const told = endedAfterClaim({ takeovers: [claimed] }, { secret }, ended);
  assert.ok(told instanceof FerryError && told.code === 'ticket-expired');
  assert.match(told.message, /ended at 2026-11-21[^]*this machine had claimed it/);
  assert.match(told.hint ?? '', /typed word/);
  assert.equal(endedAfterClaim({}, { secret }, ended), ended);
  const other = new FerryError('store-unreachable', 'no answer');
  assert.equal(endedAfterClaim({ takeovers: [claimed] }, { secret }, other), other);
});

describe('the ticket as a picture', () => {
  const at = (columns: number, isTerminal = true, json = false) => {
    const written: string[] = [];
    const said: FerryEvent[] = [];
    const write = (text: string): void => void written.push(text);
    const stderr = { isTerminal, columns: () => columns, write };
    const emit = (event: FerryEvent): void => void said.push(event);
    return { written, said, session: { emit, options: { json, color: true }, sinks: { stderr } } };
  };
  const TICKET = `sft1${'aB3'.repeat(70)}`;

  test('goes to a terminal that is wide enough, on black whatever its colours are', () => {
    const { session, written } = at(80);
    ticketPicture(session, true)(TICKET);
    const [lines = ''] = written;
    assert.equal(lines.trimEnd().split('\n').length, 31);
    assert.ok(lines.split('\n').every((line) => line === '' || line.startsWith('\u001b[97;40m')));
  });

  test('is left out where it does not fit, and nobody asked for it', () => {
    const narrow = at(40);
    ticketPicture(narrow.session, true)(TICKET);
    assert.deepEqual(narrow.written, []);
    assert.ok(narrow.said.some((one) => one.type === 'notice' && one.code === 'qr-too-wide'));
    const unasked = at(80);
    ticketPicture(unasked.session, false)(TICKET);
    assert.deepEqual([unasked.written, unasked.said], [[], []]);
  });

  test('is refused beforehand where it would end in a file, a pipe or JSON', () => {
    for (const { session } of [at(80, false), at(80, true, true)]) {
      assert.throws(() => ticketPicture(session, true), { code: 'usage' });
    }
  });
});

test('of a cancelled one the answer says what runs, and who else may', () => {
  const cancelled = {
    verb: 'handoff',
    cancelled: true,
    install: 'openclaw',
    repository: '/media/usb',
    takenBy: null,
    isStarted: true,
  } as const;
  assert.deepEqual(handoffLines(cancelled), [
    'cancelled the handoff of openclaw; its gateway runs again',
  ]);
  assert.match(
    handoffLines({ ...cancelled, takenBy: 'new-host' }).join(),
    /which new-host has too/,
  );
});

describe('lifting the fence of a gateway that lives elsewhere', () => {
  const said: FerryEvent[] = [];
  const at = (typed: string | undefined, yes = false) => ({
    terminal: {
      isThere: typed !== undefined,
      ask: () => Promise.resolve(typed ?? ''),
      askHidden: () => Promise.resolve(''),
      readAll: () => Promise.resolve(''),
    },
    options: { yes, color: false },
    signal: new AbortController().signal,
    emit: (event: FerryEvent) => void said.push(event),
  });
  const code = (typed: string | undefined, yes = false): Promise<string> =>
    requireTwo(at(typed, yes), 'openclaw', 'new-host').then(
      () => 'lifted',
      (error: unknown) => (error instanceof FerryError ? error.code : 'another error'),
    );

  test('takes the typed name, and nothing else for it', async () => {
    assert.equal(await code('openclaw'), 'lifted');
    for (const typed of ['', 'y', 'yes', 'openclaw:work'])
      assert.equal(await code(typed), 'ticket-used');
    assert.equal(await code('y', true), 'ticket-used');
    assert.equal(await code(undefined, true), 'confirmation-needed');
    const loud = said.every(
      (event) => event.type === 'notice' && /WhatsApp.*Telegram.*OAuth/.test(event.message),
    );
    assert.ok(loud && said.length > 0);
  });
});
