/** The checked-in vectors of a handoff: good ones decode to what was put in, bad ones are refused as said. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromUtf8 } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import { openClaim, openReceipt } from '../../src/format/claim.ts';
import { openGrant } from '../../src/format/grant.ts';
import { parseTicket, printTicket } from '../../src/format/ticket.ts';
import {
  badHandoffs,
  CLAIM,
  GRANT,
  HANDOFF_PLACE,
  KEYS,
  RECEIPT,
  TICKETS,
  type BadHandoff,
} from './handoff.ts';

const stored = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, 'v1/handoff', name));

test('grant, claim and receipt', () => {
  const name = `grants/${HANDOFF_PLACE.id}`;
  const grant = openGrant(KEYS.grant, HANDOFF_PLACE.id, stored('grant.bin'), name);
  assert.deepEqual(plain(grant), plain(GRANT));
  assert.deepEqual(openClaim(KEYS.claim, HANDOFF_PLACE, stored('claim.bin')), CLAIM);
  assert.deepEqual(openReceipt(KEYS.receipt, HANDOFF_PLACE, stored('receipt.bin')), RECEIPT);
});

test('tickets', () => {
  for (const ticket of Object.values(TICKETS)) {
    assert.deepEqual(plain(parseTicket(printTicket(ticket))), plain(ticket));
  }
});

test('what is wrong is refused', () => {
  const all = badHandoffs();
  assert.ok(all.length > 30);
  for (const one of all) {
    assert.throws(
      () => open(one),
      (error) => error instanceof FerryError && error.code === one.code,
      `${one.kind}: ${one.wrong}`,
    );
  }
});

function open({ kind, bytes }: BadHandoff): unknown {
  if (kind === 'ticket') return parseTicket(fromUtf8(bytes));
  if (kind === 'claim') return openClaim(KEYS.claim, HANDOFF_PLACE, bytes);
  if (kind === 'receipt') return openReceipt(KEYS.receipt, HANDOFF_PLACE, bytes);
  return openGrant(KEYS.grant, HANDOFF_PLACE.id, bytes, `grants/${HANDOFF_PLACE.id}`);
}

/** Byte strings of any class compare by what they hold. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]) => [key, plain(part)]),
  );
}
