/**
 * A claim `claims/<grant id>` and a receipt `receipts/<grant id>`: header ‖ box under the claim or receipt key of the
 * ticket. Their sizes are fixed, because a presigned address fixes them; a claim is stored at most once.
 */
import { z } from 'zod';
import { concatBytes, fromHex, utf8 } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { BOX_OVERHEAD_BYTES, openBox, sealBox } from '../crypto/box.ts';
import type { Random } from '../crypto/sodium.ts';
import { checkHeader, encodeHeader, HEADER_BYTES, type Header } from './header.ts';
import { parseJson } from './json.ts';
import type { ObjectId, WriterId } from './names.ts';
import { decodePadded, encodeFixed } from './padded.ts';

export const CLAIM_BYTES = 1024;
export const RECEIPT_BYTES = 8192;
const MACHINE_CHARACTERS_MAX = 64;
const FAILED_MAX = 12;
const TEXT_CHARACTERS_MAX = 100;

/** Of the grant: its claim and receipt have the same id. */
export type HandoffPlace = {
  readonly repository: string;
  readonly writer: WriterId;
  readonly id: ObjectId;
};

const claimSchema = z.object({
  what: z.enum(['taken', 'cancelled']),
  /** By the store's clock. */
  time: z.iso.datetime(),
  machine: z.string().max(MACHINE_CHARACTERS_MAX),
  /** Known to nobody but who claimed, so that it may resume. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
});
export type Claim = z.infer<typeof claimSchema>;

const text = z.string().max(TEXT_CHARACTERS_MAX);
const receiptSchema = z.object({
  time: z.iso.datetime(),
  machine: z.string().max(MACHINE_CHARACTERS_MAX),
  tool: text,
  /** Of the product's command on the new machine. */
  product: text.nullable(),
  snapshotDigest: z.string().regex(/^[0-9a-f]{64}$/),
  ok: z.boolean(),
  checks: z.int().nonnegative(),
  /** The first of them. */
  failed: z.array(z.object({ check: text, expected: text, found: text })).max(FAILED_MAX),
});
export type Receipt = z.infer<typeof receiptSchema>;

export function sealClaim(
  key: Uint8Array,
  place: HandoffPlace,
  claim: Claim,
  random: Random,
): Uint8Array {
  const fitting = { ...claim, machine: shorten(claim.machine, MACHINE_CHARACTERS_MAX) };
  const json = utf8(JSON.stringify(claimSchema.parse(fitting)));
  return seal(key, headerOf('claim', place), json, CLAIM_BYTES, random);
}

/** Its list of what failed is cut to what fits. */
export function sealReceipt(
  key: Uint8Array,
  place: HandoffPlace,
  receipt: Receipt,
  random: Random,
): Uint8Array {
  const failed = receipt.failed.slice(0, FAILED_MAX).map(({ check, expected, found }) => ({
    check: shorten(check, TEXT_CHARACTERS_MAX),
    expected: shorten(expected, TEXT_CHARACTERS_MAX),
    found: shorten(found, TEXT_CHARACTERS_MAX),
  }));
  const machine = shorten(receipt.machine, MACHINE_CHARACTERS_MAX);
  const product = receipt.product === null ? null : shorten(receipt.product, TEXT_CHARACTERS_MAX);
  for (;;) {
    const fitting = receiptSchema.parse({ ...receipt, machine, product, failed });
    const json = utf8(JSON.stringify(fitting));
    if (json.length + 4 <= RECEIPT_BYTES - HEADER_BYTES - BOX_OVERHEAD_BYTES) {
      return seal(key, headerOf('receipt', place), json, RECEIPT_BYTES, random);
    }
    failed.pop();
  }
}

/** @throws object-damaged, object-foreign, format-too-new */
export const openClaim = (key: Uint8Array, place: HandoffPlace, bytes: Uint8Array): Claim =>
  parseJson(claimSchema, open(key, headerOf('claim', place), bytes), `claims/${place.id}`);

/** @throws object-damaged, object-foreign, format-too-new */
export const openReceipt = (key: Uint8Array, place: HandoffPlace, bytes: Uint8Array): Receipt =>
  parseJson(receiptSchema, open(key, headerOf('receipt', place), bytes), `receipts/${place.id}`);

const headerOf = (kind: 'claim' | 'receipt', place: HandoffPlace): Header => ({
  kind,
  repository: fromHex(place.repository),
  writer: place.writer,
  object: place.id,
});

function seal(
  key: Uint8Array,
  header: Header,
  json: Uint8Array,
  length: number,
  random: Random,
): Uint8Array {
  const clear = encodeHeader(header);
  const plaintext = encodeFixed(json, length - HEADER_BYTES - BOX_OVERHEAD_BYTES);
  return concatBytes(clear, sealBox(key, clear, plaintext, random));
}

function open(key: Uint8Array, header: Header, bytes: Uint8Array): Uint8Array {
  const name = `${header.kind}s/${header.object}`;
  checkHeader(bytes, header, name);
  const plaintext = openBox(key, bytes.subarray(0, HEADER_BYTES), bytes.subarray(HEADER_BYTES));
  if (plaintext) return decodePadded(plaintext, name);
  throw new FerryError('object-damaged', `${name} is damaged: it does not open with its key`);
}

const shorten = (value: string, charactersMax: number): string => value.slice(0, charactersMax);
