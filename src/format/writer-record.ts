/**
 * A writer record `writers/<id>`: header ‖ signing key ‖ KEM ciphertext ‖ commitment ‖ sealed body ‖ root
 * signature. The signing key is in the clear so that a keyless verifier can check snapshots; the machine's name
 * and its writer key are sealed to the identity.
 */
import { z } from 'zod';
import { fromBase64, toBase64, utf8 } from '../base/bytes.ts';
import { HEADER_BYTES } from './header.ts';
import { parseJson } from './json.ts';

export const SIGNING_KEY_BYTES = 32;
/** Header and signing key: what the sealed part is bound to. */
export const WRITER_RECORD_PREFIX_BYTES = HEADER_BYTES + SIGNING_KEY_BYTES;
export const WRITER_RECORD_BYTES_MAX = 16 * 1024;

const schema = z.object({
  machine: z.string().min(1).max(200),
  /** The store's time when the machine was let in; RFC 3339. */
  time: z.iso.datetime(),
  writerKey: z.string().length(44),
});

export type WriterRecordBody = {
  readonly machine: string;
  readonly time: string;
  readonly writerKey: Uint8Array;
};

export const encodeWriterRecordBody = (body: WriterRecordBody): Uint8Array =>
  utf8(JSON.stringify({ ...body, writerKey: toBase64(body.writerKey) }));

export function decodeWriterRecordBody(plaintext: Uint8Array, name: string): WriterRecordBody {
  const body = parseJson(schema, plaintext, name);
  return { ...body, writerKey: fromBase64(body.writerKey) };
}
